from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdr.readonly import TEXT_MAX, check_tree, read_question
from dialer.errors import BadInput

SELECT = ["SelectWithUnionQuery (children 1)", " ExpressionList (children 1)", "  SelectQuery (children 2)"]
SOURCE = "     TableExpression (children 1)"


def tree(*lines: str) -> list[str]:
    return [*SELECT, SOURCE, *lines]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("SELECT 1", "SELECT 1"),
        ("  select 1 ; ;\n", "  select 1"),
        ("(SELECT 1)", "(SELECT 1)"),
        ("SELECT ';' AS \"a;b\", `c;d` -- ; not a statement\n", "SELECT ';' AS \"a;b\", `c;d` -- ; not a statement"),
        ("SELECT 'it''s', 'a\\';' /* ; */", "SELECT 'it''s', 'a\\';' /* ; */"),
        ("SELECT 'Chăm sóc' AS `tên`", "SELECT 'Chăm sóc' AS `tên`"),
        ("SELECT format('{}', status) FROM v_calls", "SELECT format('{}', status) FROM v_calls"),
        ("select 'file', 'INTO OUTFILE', 'url(''x'')'", "select 'file', 'INTO OUTFILE', 'url(''x'')'"),
    ],
)
def test_one_question_is_let_through_as_it_is(text: str, kept: str) -> None:
    assert read_question(text).text == kept


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "begin with SELECT"),
        ("-- SELECT 1", "begin with SELECT"),
        ("DROP TABLE calls", "begin with SELECT"),
        ("/* SELECT */ INSERT INTO calls VALUES (1)", "begin with SELECT"),
        ("SELECT 1; DROP TABLE calls", "one statement"),
        ("SELECT '1'';'; DROP TABLE calls", "one statement"),
        ("SELECT 1 -- x\n; DROP TABLE calls", "one statement"),
        ("SELECT 1 /* /* */ ; DROP TABLE calls */", "one statement"),
        ("SELECT 'open", "does not end"),
        ("SELECT 1 /* open", "does not end"),
        ("SELECT `a\nb`", "does not end, or a backslash or line break"),
        ("SELECT `a\\`b` FROM x", "does not end, or a backslash"),
        ("SELECT $$;$$", "no plain SQL"),
        ("SELECT 1 # x", "no plain SQL"),
        ("SELECT ‘1‘", "no plain SQL"),
        ("SELECT \x00", "no plain SQL"),
        ("SELECT 1 INTO OUTFILE 'x'", "--format and redirect"),
        ("SELECT 1 into/**/`OutFile` 'x'", "--format and redirect"),
        ("SELECT 1 FORMAT JSON", "leave FORMAT out"),
        ("SELECT 1 SETTINGS max_execution_time = 0", "leave SETTINGS out"),
        ("SELECT * APPLY(file) FROM x", "APPLY"),
        ("SELECT file('/etc/passwd')", "name file is refused"),
        ("SELECT `FILE`('/etc/passwd')", "name file is refused"),
        ("SELECT dictGetString('d', 'a', 1)", "name dictgetstring is refused"),
        ("SELECT aiGenerate('x')", "name aigenerate is refused"),
        ("SELECT hasColumnInTable('h', 'u', 'p', 'd', 't', 'c')", "name hascolumnintable is refused"),
        ("SELECT sleepEachRow(1) FROM calls", "name sleepeachrow is refused"),
        ("SELECT " + "1" * TEXT_MAX, "longer than"),
    ],
)
def test_words_that_reach_further_are_refused(text: str, says: str) -> None:
    with pytest.raises(BadInput, match=re.escape(says)):
        read_question(text)


def test_a_subquery_is_known_by_its_name_only_where_it_is_given_one() -> None:
    question = read_question("WITH talks AS (SELECT 1), `x/y` AS (SELECT 2) SELECT a AS b FROM talks, secret")
    assert question.subqueries == {"talks"}


@pytest.mark.parametrize(
    "source",
    [
        "TableIdentifier v_calls (alias c)",
        "TableIdentifier default.v_calls",
        "TableIdentifier system.tables",
        "TableIdentifier Talks",
        "Subquery",
        "Function numbers (children 1)",
        "Function generateSeries (alias g) (children 1)",
    ],
)
def test_sources_that_are_ours_or_nobodys(source: str) -> None:
    question = read_question("WITH talks AS (SELECT 1) SELECT 1")
    check_tree(question, tree(f"      {source}"), {"v_calls", "default.v_calls"})


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([], "only questions"),
        (["DropQuery  calls (children 1)"], "only questions"),
        (["InsertQuery   (children 2)"], "only questions"),
        (["ParallelWithQuery (children 2)", *SELECT], "only questions"),
        (["ShowProcesslistQuery (children 1)"], "only questions"),
        (["Explain EXPLAIN TABLE OVERRIDE (children 3)", " Function mysql (children 1)"], "only questions"),
        (["Explain EXPLAIN (children 1)", " InsertQuery   (children 2)"], "EXPLAIN takes a SELECT"),
        (["ShowCreateTableQuery system query_log (children 2)"], "not one of the call records"),
        (tree("      TableIdentifier /etc/passwd"), "not one of the call records"),
        (tree("      TableIdentifier system.query_log"), "not one of the call records"),
        (tree("      TableIdentifier calls.csv (alias v_calls)"), "not one of the call records"),
        (tree("      Function s3 (children 1)"), "name s3 is refused"),
        (tree("      Function python (children 1)"), "name python is refused"),
        (tree("      Function somethingNew (children 1)"), "name somethingnew is refused"),
        (tree("      Function format (children 1)"), "name format is refused"),
        (tree("      Subquery", "       Function url (children 1)"), "name url is refused"),
        (tree("      Subquery", "       Function icebergS3 (children 1)"), "name icebergs3 is refused"),
    ],
)
def test_what_the_engine_makes_of_it_is_refused(lines: list[str], says: str) -> None:
    with pytest.raises(BadInput, match=re.escape(says)):
        check_tree(read_question("SELECT 1"), lines, {"v_calls"})


@given(st.text(st.sampled_from("sSELECT 1;'\"`\\-/*\n$#()file,‘xÀ"), max_size=40))
def test_whatever_is_let_through_has_no_semicolon_outside_quotation_marks_and_comments(text: str) -> None:
    """Beside a scanner of another build: letter by letter, as ClickHouse's lexer reads."""
    try:
        kept = read_question(f"SELECT 1 {text}").text
    except BadInput:
        return
    assert not _statement_ends(kept)


def _statement_ends(text: str) -> bool:
    at, ends = 0, {"'": "'", '"': '"', "`": "`"}
    while at < len(text):
        two = text[at : at + 2]
        if two == "--":
            at = (text.find("\n", at) + 1) or len(text)
        elif two == "/*":
            at = (text.find("*/", at + 2) + 2) or len(text)
        elif (quote := ends.get(text[at])) is not None:
            at += 1
            while at < len(text) and text[at] != quote:
                at += 2 if text[at] == "\\" else 1
            at += 1
        elif text[at] == ";":
            return True
        else:
            at += 1
    return False
