"""Cards 40 to 59: what people hear, press and say: prompts, music, keys, recordings, machines."""

from __future__ import annotations

import io
import wave

from dialer.core.events import CallAnswered, CallEnded, DigitPressed, MachineDetected, PromptEnded, RecordingEnded
from dialer.core.types import CallId
from statuses.outcomes import AmdResult
from telephony_adapters.cards.bench import Bench, Card, CardFailed, FarEnd, require

_PROMPT_S = 25.0
_SOON_S = 1.0
_LIMIT_S = 0.5
_SLACK_S = 3.0


async def _play(bench: Bench) -> None:
    call_id = await bench.answered()
    await bench.telephony.play(call_id, prompt=bench.stage.prompt)
    ended = await bench.hear(call_id, PromptEnded, within_s=_PROMPT_S)
    require(ended.played, "a prompt that can be played is told as not played")
    await bench.hang_up(call_id)
    require(bench.count(call_id, PromptEnded) == 1, "one prompt ended more than once")


async def _play_again(bench: Bench) -> None:
    call_id = await bench.answered()
    await bench.telephony.play(call_id, prompt=bench.stage.prompt)
    await bench.hear(call_id, PromptEnded, within_s=_PROMPT_S)
    await bench.telephony.play(call_id, prompt=bench.stage.prompt)
    await bench.telephony.hush(call_id)
    await bench.hear(call_id, PromptEnded)
    await bench.hang_up(call_id)
    require(bench.count(call_id, PromptEnded) == 2, "two prompts did not end twice")  # noqa: PLR2004 -- two


async def _hush(bench: Bench) -> None:
    call_id = await bench.answered()
    await bench.telephony.play(call_id, prompt=bench.stage.prompt)
    await bench.pause(0.2)
    await bench.telephony.hush(call_id)
    await bench.hear(call_id, PromptEnded, within_s=_SOON_S)
    await bench.telephony.hush(call_id)  # nothing plays: nothing happens
    await bench.hang_up(call_id)
    require(bench.count(call_id, PromptEnded) == 1, "one prompt ended more than once")


async def _not_played(bench: Bench) -> None:
    call_id = await bench.answered()
    await bench.telephony.play(call_id, prompt=bench.stage.no_prompt)
    ended = await bench.hear(call_id, PromptEnded)
    require(not ended.played, "a prompt that there is not is told as played")
    await bench.telephony.play(call_id, prompt=bench.stage.prompt)
    require((await bench.hear(call_id, PromptEnded, within_s=_PROMPT_S)).played, "the next prompt was not played")


async def _hang_up_in_prompt(bench: Bench) -> None:
    call_id = await bench.answered()
    await bench.telephony.play(call_id, prompt=bench.stage.prompt)
    await bench.hang_up(call_id)
    require(bench.count(call_id, PromptEnded) <= 1, "one prompt ended more than once")


async def _hold(bench: Bench) -> None:
    """Let a caller wait with music, be joined, be put on hold, taken back, and go."""
    call_id = await bench.answered()
    await bench.telephony.hold(call_id, on=True)
    await bench.telephony.hold(call_id, on=False)
    await bench.join(call_id, bench.agent)
    for on in (True, True, False, False):
        await bench.telephony.hold(call_id, on=on)
    require(not bench.is_over(call_id), "a call ended by being held")
    await bench.stage.agent_hangs_up(call_id, bench.agent)
    await bench.end(call_id)


async def _waits(bench: Bench) -> None:
    """Let music end by the join alone."""
    call_id = await bench.answered()
    await bench.telephony.hold(call_id, on=True)
    await bench.join(call_id, bench.agent)
    await bench.hang_up(call_id)


async def _keys(bench: Bench) -> None:
    call_id = await bench.answered(FarEnd.PRESSES_KEYS)
    await bench.telephony.play(call_id, prompt=bench.stage.prompt)
    keys = [(await bench.hear(call_id, DigitPressed)).digit for _ in range(3)]
    require(keys == ["1", "2", "#"], f"1, 2, # were pressed, {keys} told")
    await bench.hang_up(call_id)
    require(bench.count(call_id, DigitPressed) == len(keys), "a key was told twice")


async def _recorded(bench: Bench) -> CallId:
    call_id = await bench.talk()
    await bench.telephony.record(call_id)
    await bench.pause(_SOON_S)
    return call_id


async def _check_recording(bench: Bench, call_id: CallId) -> None:
    ended = await bench.hear(call_id, RecordingEnded)
    require(ended.seconds is not None, "the recording failed")
    require(call_id in await bench.telephony.recordings(), "a finished recording is not listed")
    data = await bench.telephony.recording(call_id)
    try:
        with wave.open(io.BytesIO(data)) as file:
            seconds = file.getnframes() / file.getframerate()
    except (wave.Error, EOFError) as error:
        raise CardFailed(f"a recording of {len(data)} bytes is no WAV file: {error}") from error
    require(
        _SOON_S / 2 <= seconds <= _SOON_S + 2 * _SLACK_S, f"{_SOON_S:g} s were recorded, the file has {seconds:g} s"
    )
    await _dropped(bench, call_id)


async def _dropped(bench: Bench, call_id: CallId) -> None:
    for _ in range(2):
        await bench.telephony.drop_recording(call_id)
    require(call_id not in await bench.telephony.recordings(), "a recording that was dropped is listed")
    await _none_kept(bench, call_id)


async def _record_to_the_end(bench: Bench) -> None:
    call_id = await _recorded(bench)
    await bench.hang_up(call_id)
    await _check_recording(bench, call_id)


async def _record_and_stop(bench: Bench) -> None:
    call_id = await _recorded(bench)
    await bench.telephony.stop_recording(call_id)
    await _check_recording(bench, call_id)
    require(not bench.is_over(call_id), "the call ended with its recording")
    await bench.hang_up(call_id)
    require(bench.count(call_id, RecordingEnded) == 1, "one recording ended more than once")


async def _record_up_to(bench: Bench) -> None:
    call_id = await bench.talk()
    await bench.telephony.record(call_id, limit_s=_LIMIT_S)
    ended = await bench.hear(call_id, RecordingEnded)
    seconds = ended.seconds or 0.0
    require(0 < seconds <= _LIMIT_S + _SLACK_S, f"a recording of at most {_LIMIT_S:g} s has {ended.seconds}")
    require(not bench.is_over(call_id), "the call ended with its recording")
    await bench.hang_up(call_id)
    await bench.telephony.drop_recording(call_id)


async def _none_kept(bench: Bench, call_id: CallId) -> None:
    try:
        await bench.telephony.recording(call_id)
    except LookupError:
        return
    raise CardFailed("a recording that is not kept was returned")


async def _unknown_recording(bench: Bench) -> None:
    call_id = bench.new_id()
    await bench.telephony.drop_recording(call_id)
    require(call_id not in await bench.telephony.recordings(), "a recording is listed that nobody made")
    await _none_kept(bench, call_id)


async def _amd(bench: Bench, far_end: FarEnd) -> AmdResult:
    """Return what the adapter says of who answered: with the answer, or after it."""
    call_id = await bench.place(far_end, amd=True)
    answered = await bench.hear(call_id, CallAnswered)
    result = answered.amd
    if result is None:
        result = (await bench.hear(call_id, MachineDetected)).amd
    require(bench.count(call_id, MachineDetected) <= 1, "the verdict was told more than once")
    require(not bench.count(call_id, CallEnded), "the adapter hung up by itself")
    return result


async def _person(bench: Bench) -> None:
    result = await _amd(bench, FarEnd.PERSON)
    require(result is not AmdResult.MACHINE, f"a person was taken for {result}")


async def _machine(bench: Bench) -> None:
    result = await _amd(bench, FarEnd.MACHINE)
    require(result is AmdResult.MACHINE, f"a machine was taken for {result}")


MEDIA = (
    Card(40, "A prompt is played, and ends once", "play", _play),
    Card(41, "One prompt after another", "play", _play_again),
    Card(42, "A prompt that is stopped ends at once, and once", "play", _hush),
    Card(43, "A prompt that cannot be played says so; the call goes on", "play", _not_played),
    Card(44, "A call that ends in a prompt", "play", _hang_up_in_prompt),
    Card(45, "Music for who waits, and for who is put on hold", "play", _hold),
    Card(46, "The join ends the music", "play", _waits),
    Card(47, "Keys are told in order, each once", "dtmf", _keys),
    Card(48, "A talk is recorded to its end, fetched as WAV and dropped", "record", _record_to_the_end),
    Card(49, "A recording is stopped; the call goes on", "record", _record_and_stop),
    Card(50, "A recording ends at its limit", "record", _record_up_to),
    Card(51, "Of a call that was not recorded, no recording is kept", None, _unknown_recording),
    Card(52, "A person is told from a machine", "amd", _person),
    Card(53, "A machine is told from a person", "amd", _machine),
)
