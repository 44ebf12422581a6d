"""The figures of a process for Prometheus: one closed set of names; no label holds a number, a name or free text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

import psutil


class Metric(NamedTuple):
    """A name with its kind, what it means, and its labels."""

    name: str
    kind: Literal["gauge", "counter"]
    help: str
    labels: tuple[str, ...] = ()


class Sample(NamedTuple):
    """One value of a metric; `labels` are the values of its labels, in order."""

    metric: Metric
    value: float
    labels: tuple[str, ...] = ()


INFO: Final = Metric("dialer_info", "gauge", "1; which role this process runs", ("role",))
STARTED: Final = Metric("process_start_time_seconds", "gauge", "When the process began, UTC epoch seconds")
CPU: Final = Metric("process_cpu_seconds_total", "counter", "Processor time used")
MEMORY: Final = Metric("process_resident_memory_bytes", "gauge", "Resident memory")
DEPENDENCY: Final = Metric("dialer_dependency_up", "gauge", "1 while /readyz calls it ok", ("dependency",))
OWNED: Final = Metric("dialer_campaigns_owned", "gauge", "Campaigns that this engine owns")
SHARE: Final = Metric("dialer_campaigns_share", "gauge", "Campaigns that are this engine's fair share")
IN_FLIGHT: Final = Metric("dialer_calls_in_flight", "gauge", "Calls on the trunks")
RECOVERED: Final = Metric("dialer_attempts_recovered_total", "counter", "Attempts settled for a stopped engine")
FENCED: Final = Metric("dialer_campaigns_fenced_total", "counter", "Campaigns lost to another engine")
FENCED_CALLS: Final = Metric("dialer_calls_fenced_total", "counter", "Calls not placed: the lease was over")
QUEUE: Final = Metric("dialer_store_queue", "gauge", "Effects that wait for their commit")
COMMIT_FAILURES: Final = Metric("dialer_store_failures", "gauge", "Failed commits in a row")
BAD_EFFECTS: Final = Metric("dialer_store_bad_effects_total", "counter", "Effects that no commit can perform")
AGENTS: Final = Metric("dialer_agents", "gauge", "Agents of a campaign by state", ("campaign", "state"))
CALLS: Final = Metric("dialer_calls", "gauge", "Calls of a campaign by phase", ("campaign", "phase"))
HOPPER: Final = Metric("dialer_hopper_leads", "gauge", "Leads at hand", ("campaign",))
PLACED: Final = Metric("dialer_calls_placed_total", "counter", "Calls placed since the engine took it", ("campaign",))
ANSWERED: Final = Metric("dialer_calls_answered", "gauge", "Answered by a person in the legal window", ("campaign",))
ABANDONED: Final = Metric("dialer_calls_abandoned", "gauge", "Abandoned in the legal window", ("campaign",))
LIMIT: Final = Metric(
    "dialer_abandon_limit_ratio", "gauge", "The law's limit of abandoned calls, 0 to 1", ("campaign",)
)
LAG: Final = Metric("dialer_log_lag_seconds", "gauge", "Age of the oldest event that a part has not taken", ("part",))
PROBLEMS: Final = Metric("dialer_records_problems", "gauge", "Gaps, doubles and missing CDRs, as of the last look")
TRACED: Final = Metric("dialer_sip_trace_messages_total", "counter", "SIP messages kept for traces")
TRACED_BYTES: Final = Metric("dialer_sip_trace_bytes_total", "counter", "Bytes that these took on disk")
UNTRACED: Final = Metric("dialer_sip_trace_dropped_total", "counter", "SIP messages of traced calls that were not kept")
TRUNK_UP: Final = Metric("dialer_trunk_up", "gauge", "1 while the trunk takes calls", ("trunk",))
TRUNK_CALLS: Final = Metric("dialer_trunk_calls", "gauge", "Calls that hold a channel of the trunk", ("trunk",))
PHONES: Final = Metric("dialer_phones", "gauge", "Agents' phones by state", ("state",))
SIP_EVENTS: Final = Metric(
    "dialer_sip_events_total", "counter", "What SIP dropped, refused by itself or noticed", ("event",)
)
ARI_REQUESTS: Final = Metric("dialer_ari_requests_total", "counter", "Requests that Asterisk was sent", ("trunk",))
RECORDED: Final = Metric("dialer_recordings_stored_total", "counter", "Recordings brought into the storage")
RECORDED_BYTES: Final = Metric("dialer_recordings_stored_bytes_total", "counter", "Bytes of these files")
RECORDINGS_WAITING: Final = Metric("dialer_recordings_waiting", "gauge", "Finished recordings at the switch")
RECORDING_FAILURES: Final = Metric("dialer_recordings_failures", "gauge", "Looks in a row that could not store them")
RECORDINGS_MISSING: Final = Metric("dialer_recordings_missing_total", "counter", "Calls that the switch did not record")
RECORDINGS_SPOILT: Final = Metric(
    "dialer_recordings_unreadable", "gauge", "Recordings at the switch that are no WAV file"
)
RECORDINGS_DELETED: Final = Metric("dialer_recordings_deleted_total", "counter", "Recordings deleted by age")
METRICS: Final = (
    INFO, STARTED, CPU, MEMORY, DEPENDENCY, OWNED, SHARE, IN_FLIGHT, RECOVERED, FENCED, FENCED_CALLS, QUEUE,
    COMMIT_FAILURES, BAD_EFFECTS, AGENTS, CALLS, HOPPER, PLACED, ANSWERED, ABANDONED, LIMIT, LAG,
    PROBLEMS, TRACED, TRACED_BYTES, UNTRACED, TRUNK_UP, TRUNK_CALLS, PHONES, SIP_EVENTS, RECORDED, RECORDED_BYTES,
    RECORDINGS_WAITING, RECORDING_FAILURES, RECORDINGS_MISSING, RECORDINGS_SPOILT, RECORDINGS_DELETED,
    ARI_REQUESTS,
)  # fmt: skip
"""Every metric there is; docs/operations.md lists them."""
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def of_process(role: str) -> list[Sample]:
    """Return what every process tells of itself."""
    me = psutil.Process()
    times = me.cpu_times()
    return [
        Sample(INFO, 1, (role,)),
        Sample(STARTED, me.create_time()),
        Sample(CPU, times.user + times.system),
        Sample(MEMORY, me.memory_info().rss),
    ]


def render(samples: Iterable[Sample]) -> str:
    """Return the text format of Prometheus, version 0.0.4, in the order of METRICS.

    Raises KeyError for a metric outside the closed set, ValueError for labels that do not fit it.
    """
    lines: dict[Metric, list[str]] = {metric: [] for metric in METRICS}
    for sample in samples:
        pairs = zip(sample.metric.labels, sample.labels, strict=True)
        labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in pairs)
        lines[sample.metric].append(f"{sample.metric.name}{'{' + labels + '}' if labels else ''} {sample.value:.15g}")
    told = ((metric, values) for metric, values in lines.items() if values)
    return "".join(
        f"# HELP {metric.name} {metric.help}\n# TYPE {metric.name} {metric.kind}\n" + "".join(f"{v}\n" for v in values)
        for metric, values in told
    )


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
