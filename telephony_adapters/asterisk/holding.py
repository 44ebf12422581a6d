"""What a customer hears who talks to nobody: prompts and music; pure."""

from __future__ import annotations

from dialer.core.events import PromptEnded
from telephony_adapters.asterisk.board import Board, Call, Desk, Phase
from telephony_adapters.asterisk.messages import Ask, Playback
from telephony_adapters.asterisk.names import path_of

_FAILED = "failed"


def play(board: Board, call: Call, media: str) -> None:
    """Play to a customer; what plays already ends first, and its end is not told."""
    if call.phase is Phase.DETECTING:
        call.waits = media  # who answered is found out in the dialplan, where nothing can be played
        return
    stop_prompt(board, call)
    end_music(board, call)
    call.prompts += 1
    call.prompt = board.names.prompt(call.call_id, call.prompts)
    path = f"/channels/{path_of(call.channel)}/play/{path_of(call.prompt)}"
    board.ask(Ask.PLAY, call.prompt, call.call_id, "POST", path, {"media": media})


def stop_prompt(board: Board, call: Call) -> None:
    """Stop what plays; Asterisk then says that it is over, or nothing was heard yet."""
    unheard(board, call)
    if call.prompt is not None:
        board.ask(Ask.OTHER, call.call_id, call.call_id, "DELETE", f"/playbacks/{path_of(call.prompt)}")


def unheard(board: Board, call: Call) -> None:
    """Tell that what waits to be played is not played."""
    if call.waits is not None:
        call.waits = None
        board.tell(PromptEnded(call.call_id, played=False))


def go_on(board: Board, call: Call) -> None:
    """Play what was to be played meanwhile: it is known who answered."""
    media, call.waits = call.waits, None
    if media is not None:
        play(board, call, media)
    if call.held:
        begin_music(board, call)


def prompt_over(board: Board, playback: Playback) -> None:
    """Tell, once, that a prompt is over."""
    call = board.calls.get(board.names.prompted(playback.id) or "")
    if call is not None and call.prompt == playback.id:
        call.prompt = None
        board.tell(PromptEnded(call.call_id, played=playback.state != _FAILED))


def hold(board: Board, call: Call, *, on: bool) -> None:
    """Give a customer music instead of silence or the agent, or end that."""
    if call.held is on or not call.is_answered:
        return
    call.held = on
    if call.phase is not Phase.UP or call.joining:
        return  # music begins, or not, when that is over
    desk = call.desk
    if on:
        if call.joined and desk is not None:
            leave_room(board, call, desk)
        begin_music(board, call)
        return
    end_music(board, call)
    if call.joined and desk is not None:
        call.in_room = True
        path = f"/bridges/{path_of(board.names.desk(desk.agent_id))}/addChannel"
        board.ask(Ask.BACK, call.call_id, call.call_id, "POST", path, {"channel": call.channel})


def leave_room(board: Board, call: Call, desk: Desk) -> None:
    """Take a customer out of the agent's bridge."""
    call.in_room = False
    path = f"/bridges/{path_of(board.names.desk(desk.agent_id))}/removeChannel"
    board.ask(Ask.OTHER, call.call_id, call.call_id, "POST", path, {"channel": call.channel})


def begin_music(board: Board, call: Call) -> None:
    """Begin music, after the prompt that plays."""
    if not call.music:
        call.music = True
        board.act(Ask.OTHER, call, "POST", "/moh", {"mohClass": board.common.moh})


def end_music(board: Board, call: Call) -> None:
    """End music."""
    if call.music:
        call.music = False
        board.act(Ask.OTHER, call, "DELETE", "/moh")
