from __future__ import annotations

from telephony_adapters.asterisk.files import extensions, files
from tests.telephony_adapters.asterisk.scenes import FILE, SERVER


def test_each_file_has_what_the_settings_need() -> None:
    found = files(FILE, SERVER, carrier="sip.carrier.example:5070", agents={"a1": "geheim"})
    assert set(found) == {"http.conf", "ari.conf", "pjsip.conf", "extensions.conf", "modules.conf"}
    assert "bindport = 8088" in found["http.conf"]
    assert "[dialer]\ntype = user" in found["ari.conf"]
    assert "password = x" in found["ari.conf"]
    pjsip = found["pjsip.conf"]
    for line in ("[trunk]\ntype = endpoint\ncontext = dialer-inbound", "contact = sip:sip.carrier.example:5070"):
        assert line in pjsip
    assert "match = sip.carrier.example\n" in pjsip
    assert "[a1]\ntype = auth\nauth_type = userpass\nusername = a1\npassword = geheim" in pjsip


def test_the_dialplan_comes_back_with_who_answered() -> None:
    text = extensions("dialer")
    assert "[dialer-amd]\nexten = s,1,AMD(2500,1700,800,4000,120,80,3,400)" in text
    assert "Stasis(dialer,amd,${AMDSTATUS},${AMDCAUSE})" in text
    assert "exten = _+X!,1,Stasis(dialer,inbound,${EXTEN})" in text
