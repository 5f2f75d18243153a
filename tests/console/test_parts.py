"""The parts that pages are made of: names, the sky, short documents as HTML."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.console.columns import HUES, draw_columns
from api.console.languages import languages
from api.console.markdown import render_markdown
from api.console.names import label_in, name_in, organisation_name, programme_names
from api.console.sky import HEIGHT, WIDTH, draw_sky
from ledger.domain.ids import BlockNumber, OrgId, ProgrammeId, TierId, token_id
from ledger.mirror.queries.memberships import Membership, Standing
from ledger.mirror.queries.profiles import Profile
from ledger.mirror.queries.programmes import MemberCount, Outstanding, Programme
from ledger.mirror.queries.rules import Epoch, Label, Rules
from ledger.mirror.queries.seasons import EpochSum

CHINESE, ENGLISH = languages()["zh-CN"], languages()["en"]


def a_programme(number: int, key: str, name_zh: str) -> Programme:
    return Programme(
        ProgrammeId(number),
        key,
        bytes(32),
        Profile(key, name_zh, f"{key} in English", "", ""),
        0,
        0,
        Rules((), (), ()),
        0,
        MemberCount(),
        Outstanding(),
    )


def a_membership(org_id: int, programme_id: int = 1) -> Membership:
    return Membership(
        ProgrammeId(programme_id),
        "p",
        OrgId(org_id),
        token_id(ProgrammeId(programme_id), OrgId(org_id)),
        bytes(20),
        Standing.ACTIVE,
        TierId(1),
        "member",
        0,
        1,
        "admitted",
        "",
        bytes(32),
        None,
        bytes(20),
        BlockNumber(1),
        0,
    )


def test_name__in_two_languages__has_the_readers_first() -> None:
    assert name_in(CHINESE, "银河航天", "GalaxySpace", "4").main == "银河航天"
    assert name_in(ENGLISH, "银河航天", "GalaxySpace", "4").other == "银河航天"
    assert name_in(ENGLISH, "银河航天", "", "4").main == "银河航天"
    assert name_in(ENGLISH, "银河航天", "", "4").main_lang == "zh-CN"
    assert name_in(CHINESE, "E-Space", "E-Space", "4").other == ""
    assert organisation_name(CHINESE, None, 45).main == "№ 45"


def test_label__missing__is_the_key() -> None:
    assert label_in(ENGLISH, None, "data.use") == "data.use"
    assert label_in(ENGLISH, Label("数据", "data put to use", ""), "k") == "Data put to use"


def test_short_names__leave_out_what_all_chinese_names_begin_with() -> None:
    programmes = [
        a_programme(1, "alliance", "空天信息产业国际生态联盟"),
        a_programme(2, "community", "空天信息产业共同体"),
        a_programme(3, "fund-group", "空天信息产业基金群"),
    ]

    chinese = programme_names(CHINESE, programmes)
    english = programme_names(ENGLISH, programmes)

    assert [each.short for each in chinese.values()] == ["国际生态联盟", "共同体", "基金群"]
    assert [each.short for each in english.values()] == ["Alliance", "Community", "Fund group"]


def test_short_names__that_would_be_too_short__stay_whole() -> None:
    named = programme_names(CHINESE, [a_programme(1, "a", "联盟甲"), a_programme(2, "b", "联盟乙")])
    alone = programme_names(CHINESE, [a_programme(1, "a", "联盟")])
    nameless = programme_names(CHINESE, [replace(a_programme(1, "x-y", "联盟"), profile=None)])

    assert [each.short for each in named.values()] == ["联盟甲", "联盟乙"]
    assert alone["a"].short == "联盟"
    assert nameless["x-y"].short == "X y"


def test_sky__with_one_more_member__leaves_every_star_where_it_was() -> None:
    before = draw_sky([a_membership(number) for number in range(1, 20)], {})
    after = draw_sky([a_membership(number) for number in range(1, 21)], {})

    assert set(before.stars) < set(after.stars)
    assert all(0 <= star.x <= WIDTH and 0 <= star.y <= HEIGHT for star in after.stars)


def test_sky__is_brighter_where_credits_are_and_dark_where_revoked() -> None:
    rich, poor, gone = a_membership(1), a_membership(2), a_membership(3)
    gone = replace(gone, standing=Standing.REVOKED)
    sky = draw_sky([rich, poor, gone], {rich.token_id: 900, poor.token_id: -50})

    assert len(sky.stars) == 2
    assert sky.stars[0].radius > sky.stars[1].radius
    assert draw_sky([], {}).stars == []


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("# Title", "<h3>Title</h3>"),
        ("one\ntwo", "<p>one two</p>"),
        ("one\n\ntwo", "<p>one</p>\n<p>two</p>"),
        ("> a\n> b", "<blockquote><p>a b</p></blockquote>"),
        ("> a\n>\n> b", "<blockquote><p>a</p></blockquote>\n<blockquote><p>b</p></blockquote>"),
        ("- a\n- b\n  c", "<ul><li>a</li><li>b c</li></ul>"),
        ("text\n- a", "<p>text</p>\n<ul><li>a</li></ul>"),
        ("**bold** and `code`", "<p><strong>bold</strong> and <code>code</code></p>"),
        ("<script>x</script>", "<p>&lt;script&gt;x&lt;/script&gt;</p>"),
        ("[a](javascript:b)", "<p>[a](javascript:b)</p>"),
        ('**"><img src=x>**', "<p><strong>&#34;&gt;&lt;img src=x&gt;</strong></p>"),
        ("", ""),
    ],
)
def test_markdown__of_short_documents__is_plain_html(text: str, html: str) -> None:
    assert render_markdown(text) == html


@given(text=st.text(alphabet="<>&\"'`*#->ab \n/", max_size=80))
def test_markdown__of_any_text__has_no_tags_but_its_own(text: str) -> None:
    allowed = r"</?(?:h[3-6]|p|ul|li|blockquote|strong|code)>"

    left = re.sub(allowed, "", render_markdown(text))

    assert "<" not in left
    assert ">" not in left


def test_columns__put_what_went_out_below_the_line_and_never_leave_the_chart() -> None:
    epochs = [Epoch(number, number * 10, number * 10 + 10) for number in range(1, 5)]
    sums = [
        EpochSum(1, "a", 30),
        EpochSum(1, "b", 10),
        EpochSum(3, "", -20),
        EpochSum(3, "a", 5),
        EpochSum(0, "a", 999),
    ]

    drawn = draw_columns(sums, epochs)

    assert drawn is not None
    assert drawn.categories == ("a", "b", "")
    assert drawn.hues == (1, 2, HUES)
    assert [column.epoch.number for column in drawn.columns] == [1, 2, 3]
    assert [column.sum for column in drawn.columns] == [40, 0, -15]
    assert drawn.line == pytest.approx(100 * 40 / 60, abs=0.1)
    for column in drawn.columns:
        for block in column.blocks:
            assert block.top >= 0
            assert block.top + block.height <= 100.01
    assert drawn.columns[2].blocks[1].top == drawn.line
    assert draw_columns([], epochs) is None


def test_columns__of_many_categories__share_the_last_colour_but_one() -> None:
    sums = [EpochSum(1, f"c{number}", 100 - number) for number in range(9)]

    drawn = draw_columns(sums, [Epoch(1, 0, 10)])

    assert drawn is not None
    assert drawn.hues == (1, 2, 3, 4, 5, 5, 5, 5, 5)
