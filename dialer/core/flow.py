"""Follow a script on one call: what is heard, which keys lead where, and when agents take over.

A person who hangs up without a key is IVR; who pressed one, or heard the script to its end, is Answered; who was given
to the agents and met none is Busy line (statuses.md 2.4 rule 3, 2.9, A9).
"""

from __future__ import annotations

from typing import NamedTuple, assert_never

from dialer.core.bridge import abandon, enqueue, hang_up
from dialer.core.calls import Call, Phase
from dialer.core.effects import Hush, Play, StopRecording
from dialer.core.events import DigitPressed, RecordingEnded
from dialer.core.recording import count_recording, record
from dialer.core.run import Part, Run, StepKind
from dialer.core.script import End, Gather, Prompt, RecordMessage, Transfer, UnknownField
from dialer.core.script import Play as PlayNode
from dialer.core.state import EngineState
from dialer.core.types import CallId
from statuses.outcomes import CancelReason, LocalError

PROMPT_LIMIT_S = 120.0
"""A prompt whose end nobody reports is over by then."""
VISITS_MOST = 100
"""Who has come to so many nodes only presses keys, and holds a line: the call ends."""
HUSH_LIMIT_S = 2.0
"""A prompt that was to stop, and recording that was to end, has by then."""


class _At(NamedTuple):
    """Who is where in which script, and when."""

    state: EngineState
    call: Call
    run: Run
    now: float


def begin_script(state: EngineState, call: Call, run: Run, now: float) -> None:
    """Start the script at the answer; the 2-second rule is about agents and does not apply."""
    call.agentless, call.phase = True, Phase.PROMPT
    run.note(StepKind.ENTERED, now)
    _enter(_At(state, call, run, now), run.script.start)


def prompt_over(state: EngineState, call: Call, now: float, *, played: bool = True) -> None:
    """Go on after a prompt; one that could not be played is a fault of ours, and its silence an abandoned call."""
    at = _where(state, call.call_id, now)
    if at is None:
        return
    part = at.run.part
    if part is Part.HUSHED:
        _press(at, at.run.pressed)
    elif part is Part.WRONG:
        _ask(at)
    elif part is Part.PROMPT and played:
        _heard(at)
    elif part is Part.PROMPT:
        _fail(at, LocalError.PROTOCOL)


def key_pressed(state: EngineState, event: DigitPressed, now: float) -> None:
    """Take a key of the far end; outside a script it means nothing."""
    at = _where(state, event.call_id, now)
    if at is None:
        return
    run, node = at.run, at.run.node
    run.note(StepKind.KEY, now, event.digit)
    if run.part is Part.RECORDING:
        run.part = Part.STOPPING
        _wait(at, HUSH_LIMIT_S)
        state.effects.append(StopRecording(event.call_id))
    elif run.part is Part.KEY:
        _press(at, event.digit)
    elif isinstance(node, Gather) and node.barge and run.part in {Part.PROMPT, Part.WRONG}:
        # What the key means is done when the prompt has ended: its end must not be taken for that of the next one.
        run.part, run.pressed = Part.HUSHED, event.digit
        _wait(at, HUSH_LIMIT_S)
        state.effects.append(Hush(event.call_id))


def recording_ended(state: EngineState, event: RecordingEnded, now: float) -> None:
    """Go on after a `record` node; of a talk's recording the engine needs to know nothing."""
    count_recording(state, event)
    at = _where(state, event.call_id, now)
    if at is not None and at.run.part in {Part.RECORDING, Part.STOPPING}:
        _recorded(at)


def flow_timer(state: EngineState, call: Call, now: float) -> None:
    """Go on without what was waited for: the end of a prompt, a key, the end of a recording."""
    at = _where(state, call.call_id, now)
    if at is None:
        return
    node = at.run.node
    if at.run.part is Part.KEY and isinstance(node, Gather):
        _missed(at, node, node.prompt)
    elif at.run.part in {Part.RECORDING, Part.STOPPING}:
        _recorded(at)
    else:
        prompt_over(state, call, now)


def _where(state: EngineState, call_id: CallId, now: float) -> _At | None:
    """Return where a call is in its script, None when it follows none (any more)."""
    call = state.calls.get(call_id)
    if call is None or call.run is None or call.phase is not Phase.PROMPT:
        return None
    return _At(state, call, call.run, now)


def _enter(at: _At, name: str) -> None:
    at.run.enter(name)
    if at.run.visits > VISITS_MOST:
        _go(at, None)
    elif at.run.node.prompt is None:
        _heard(at)
    else:
        _ask(at)


def _go(at: _At, name: str | None) -> None:
    """Go on to a node; None: the script is over."""
    if name is not None:
        _enter(at, name)
        return
    at.run.leave(at.now)
    hang_up(at.state, at.call, CancelReason.PROMPT_ENDED, at.now)


def _ask(at: _At) -> None:
    """Say the node's prompt, perhaps again."""
    if at.run.node.prompt is not None:
        _say(at, at.run.node.prompt, Part.PROMPT)


def _say(at: _At, prompt: Prompt, part: Part) -> None:
    """Play a prompt; one that names a field which this customer does not have ends the call."""
    at.run.part = part
    try:
        name = prompt.named(at.run.fields)
    except UnknownField:
        _fail(at, LocalError.TEMPLATE)
        return
    _wait(at, PROMPT_LIMIT_S)
    at.state.effects.append(Play(at.call.call_id, name))


def _fail(at: _At, error: LocalError) -> None:
    """End a call that heard nothing by a fault of ours: an abandoned one."""
    at.call.local_error = error
    if not at.call.inbound:
        at.state.budget.answered(at.now)
    abandon(at.state, at.call, at.now)
    _go(at, None)


def _wait(at: _At, seconds: float) -> None:
    at.state.timers.set(("flow", at.call.call_id), at.now + seconds)


def _heard(at: _At) -> None:
    """Do what follows a node's prompt."""
    node = at.run.node
    match node:
        case Gather():
            at.run.part = Part.KEY
            _wait(at, node.timeout_s)
        case Transfer():
            _transfer(at)
        case RecordMessage():
            at.run.part = Part.RECORDING
            _wait(at, node.limit_s + HUSH_LIMIT_S)
            record(at.state, at.call, limit_s=node.limit_s)
        case PlayNode():
            _go(at, node.next)
        case End():
            _go(at, None)
        case _:
            assert_never(node)


def _press(at: _At, digit: str) -> None:
    node = at.run.node
    if not isinstance(node, Gather):
        return
    target = node.keys.get(digit)
    if target is not None:
        _enter(at, target)
    else:
        _missed(at, node, node.wrong or node.prompt)


def _missed(at: _At, node: Gather, prompt: Prompt) -> None:
    """Ask again after a wrong key or none, as often as the node says."""
    if at.run.repeats_left == 0:
        _go(at, node.otherwise)
        return
    at.run.repeats_left -= 1
    _say(at, prompt, Part.PROMPT if prompt is node.prompt else Part.WRONG)


def _recorded(at: _At) -> None:
    node = at.run.node
    at.call.recording = False  # or its end was never told
    _go(at, node.next if isinstance(node, RecordMessage) else None)


def _transfer(at: _At) -> None:
    """Give the call to the agents; it waits for one as long as the queue allows."""
    state, call, now = at.state, at.call, at.now
    at.run.leave(now)
    call.agentless = False
    state.timers.cancel(("flow", call.call_id))
    enqueue(state, call, now)
