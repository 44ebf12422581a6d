"""The columns of the lead screen, in the order of S0-17, and a lead as a row of it."""

from __future__ import annotations

from typing import Any

from crm.leads import LeadRow
from statuses.catalog import colour, label
from web.grid import Column
from web.i18n import Words


def lead_columns(words: Words) -> list[Column]:
    """Return the columns with their headings; the actions are exactly edit and delete (S0-16)."""
    edit, bin_ = words("common.edit"), words("common.delete")
    actions = (
        '<div class="row-actions">'
        f'<q-btn flat dense round size="sm" icon="edit" :href="`/leads/${{props.row.id}}`" aria-label="{edit}"'
        f' title="{edit}"></q-btn>'
        f'<q-btn flat dense round size="sm" icon="delete" class="bin" aria-label="{bin_}" title="{bin_}"'
        " @click=\"() => $parent.$emit('bin', props.row)\"></q-btn></div>"
    )
    status = '<span class="status" :style="{color: props.row.colour}">{{ props.row.status }}</span>'
    code = '<span class="tag" :style="{color: props.row.colour}">{{ props.row.status_code }}</span>'
    phone = (
        f'<a class="dial-link" :href="`/dial?lead=${{props.row.id}}`" title="{words("dial.call")}">'
        "{{ props.row.phone }}</a>"
    )
    comment, campaign, list_ = (
        f'<span :title="props.row.{name}">{{{{ props.row.{name} }}}}</span>' for name in ("comment", "campaign", "list")
    )
    return [
        Column("code", words("leads.code"), css="nowrap"),
        Column("name", words("leads.name"), css="wrap", sortable=True),
        Column("phone", words("leads.phone"), phone, css="nowrap"),
        Column("status_code", words("leads.status_code"), code),
        Column("status", words("leads.status"), status, css="wrap"),
        Column("calls", words("leads.calls"), css="right"),
        Column("comment", words("leads.comment"), comment, css="clip wide"),
        Column("campaign", words("leads.campaign"), campaign, css="clip"),
        Column("list", words("leads.list"), list_, css="clip"),
        Column("agent", words("leads.agent"), css="narrow"),
        Column("actions", words("leads.actions"), actions, css="pinned"),
    ]


def lead_row(lead: LeadRow, words: Words) -> dict[str, Any]:
    """Write one lead as the table's row."""
    return {
        "id": lead.lead_id,
        "code": lead.code,
        "name": lead.name,
        "phone": lead.phone,
        "status_code": lead.status_code,
        "status": label(lead.status, words.lang),
        "colour": colour(lead.status),
        "calls": words.number(lead.calls),
        "comment": lead.comment or "",
        "campaign": lead.campaign,
        "list": lead.list_name,
        "agent": lead.agent or "",
    }
