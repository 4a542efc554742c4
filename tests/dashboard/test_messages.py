"""English and Korean: complete, compiled, and without a placeholder too few."""

import gettext
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.utils.translation import override

from metrics.api.schema import document
from metrics.models.events import KINDS
from tests.skips import needs

METRICS = Path(__file__).resolve().parents[2] / "metrics"
CATALOGUE = METRICS / "locale" / "ko" / "LC_MESSAGES"
DOMAINS = ["django", "djangojs"]


def entries(path):
    """Pairs of English and Korean."""
    text = re.sub(r'"\n"', "", path.read_text())
    return re.findall(r'^msgid "(.+)"\nmsgstr "(.*)"', text, re.MULTILINE)


@pytest.mark.parametrize("domain", DOMAINS)
def test_everything_is_translated(domain):
    found = entries(CATALOGUE / f"{domain}.po")
    assert len(found) > 90
    assert [english for english, korean in found if not korean] == []
    assert "fuzzy" not in (CATALOGUE / f"{domain}.po").read_text()


@pytest.mark.parametrize("domain", DOMAINS)
def test_no_placeholder_is_lost(domain):
    pairs = entries(CATALOGUE / f"{domain}.po")
    names = lambda text: set(re.findall(r"%\((\w+)\)s", text))  # noqa: E731
    assert [pair for pair in pairs if names(pair[0]) != names(pair[1])] == []


# What a translator from word to word would write, and what an administrator in Korea would.
STILTED = """
멈춤: 수신 끊김
거르: 필터
시작\u2013끝: 기간 지정
가장 새로운: 최신
점 하나: 점 간격, 데이터 포인트
압박: 자원 대기(PSI)
평균 부하: 부하 평균
순간: 시각, 시점
보이는 구간: 표시된 구간
판독: 측정값
단계: 집계 단위
아무 : 없습니다
"""


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_korean_is_that_of_administrators(domain):
    texts = [korean for _english, korean in entries(CATALOGUE / f"{domain}.po")]
    words = dict(line.split(": ") for line in STILTED.strip().splitlines())
    assert [(text, better) for text in texts for word, better in words.items() if word in text] == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_compiled_catalogue_is_that_of_the_text(domain):
    with (CATALOGUE / f"{domain}.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for english, korean in entries(CATALOGUE / f"{domain}.po"):
        assert compiled.gettext(english.replace('\\"', '"')) == korean.replace('\\"', '"')


@pytest.mark.parametrize("domain", DOMAINS)
def test_no_text_of_the_program_is_missing(domain, tmp_path):
    """Collected again, the catalogue has nothing that the committed one has not."""
    needs("xgettext")
    copy = tmp_path / "metrics"
    shutil.copytree(METRICS, copy, ignore=shutil.ignore_patterns("__pycache__", "*.mo"))
    # What the project says beside the app is in the app's catalogue too.
    shutil.copytree(METRICS.parent / "sysmon_project", copy / "project", ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "django", "makemessages", "-l", "ko", "-d", domain, "--no-wrap", "--no-obsolete"]
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    subprocess.run(command, cwd=copy, env=environment, check=True, capture_output=True)
    wanted = {english for english, _korean in entries(copy / "locale" / "ko" / "LC_MESSAGES" / f"{domain}.po")}
    assert wanted - {english for english, _korean in entries(CATALOGUE / f"{domain}.po")} == set()


def test_the_page_names_the_catalogue_of_its_language(api, db):
    english = api.get("/", headers={"accept": "text/html"}).content.decode()
    korean = api.get("/", headers={"accept": "text/html", "accept-language": "ko"}).content.decode()
    assert "data-messages" not in english
    address = re.search(r'data-messages="([^"]+)"', korean)[1]
    response = api.get(address)
    assert response.json()["Live"] == "실시간"
    assert "immutable" in response.headers["Cache-Control"]


def test_an_unknown_language_has_no_catalogue(api, db):
    assert api.get("/messages/0123456789ab/tlh.json").status_code == 404


def test_the_language_is_chosen_by_a_form_and_kept(api, db):
    response = api.post("/language", {"language": "ko-kr", "next": "/"})
    assert (response.status_code, response.headers["Location"]) == (302, "/")
    assert "필터" in api.get("/", headers={"accept": "text/html"}).content.decode()


def test_choosing_a_language_leads_nowhere_else(api, db):
    assert api.post("/language", {"language": "ko-kr", "next": "https://example.com/"}).headers["Location"] == "/"


@pytest.mark.parametrize(
    ("query", "name"),
    [("limit=0", "limit"), ("limit=x", "limit"), ("start=x", "start"), ("fields=x", "fields"), ("x=1", "x")],
)
def test_errors_of_the_api_are_korean(api, recorded, query, name):
    recorded.ticks(1)
    answer = api.get(f"/api/v1/metrics/cpu?{query}", headers={"accept-language": "ko"}).json()
    assert all(re.search("[가-힣]", text) for text in answer["errors"][name]), answer


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", f"host={'x' * 256}", "step=0", "limit=x"])
def test_an_error_does_not_stay_in_the_language_of_whoever_made_it_first(api, recorded, query):
    texts = [
        api.get(f"/api/v1/metrics/cpu?{query}", headers={"accept-language": code}).json()["detail"]
        for code in ("en", "ko")
    ]
    assert [bool(re.search("[가-힣]", text)) for text in texts] == [False, True]


def test_the_document_of_the_api_is_english_for_everybody(api, db):
    document.cache_clear()
    text = api.get("/openapi.json", headers={"accept-language": "ko"}).content.decode()
    assert not re.search("[가-힣]", text)


def test_the_page_calls_every_kind_of_event_what_the_admin_calls_it():
    script = (METRICS / "static" / "metrics" / "js" / "events.js").read_text()
    labels = re.findall(r'^  (\w+): gettext\("([^"]+)"\)', script, re.MULTILINE)
    with override("en"):
        assert dict(labels) == {name: str(kind.label) for name, kind in KINDS.items()}
