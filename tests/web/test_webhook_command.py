"""`issuegraph webhook`: samples are tried, definitions listed and shown."""

import subprocess
import sys
from pathlib import Path

import pytest

from web.cli import main
from webhooks.definition import ours

TOOL = """\
title: A tool
rules:
  - name: broken
    when: body.ok == false
    report:
      title: It broke
      description: why
      severity: low
      issueType: test
      scope: {resourceType: suite, resourceName: unit}
  - ignore: fine
samples:
  - name: a break
    body: {ok: false}
    expect: [{report: {title: It broke}}]
  - name: no break
    body: {ok: true}
    expect: [{ignore: fine}]
"""


def run(monkeypatch, *words):
    """The exit code of the command."""
    monkeypatch.setattr(sys, "argv", ["issuegraph", "webhook", *map(str, words)])
    try:
        main()
    except SystemExit as end:
        return end.code
    return 0


def test_what_comes_of_each_sample_is_told(monkeypatch, capsys, tmp_path):
    file = tmp_path / "tool.yaml"
    file.write_text(TOOL)
    assert run(monkeypatch, "test", file) == 0
    told = capsys.readouterr().out
    assert "ok     a break\n       0: report by 'broken'\n" in told
    assert "title: It broke" in told
    assert "0: ignore by 'rule 2': fine" in told
    assert told.endswith("2 samples, 0 failed\n")


def test_a_constant_that_never_holds_is_refused(monkeypatch, tmp_path):
    file = tmp_path / "tool.yaml"
    file.write_text(TOOL.replace("severity: low", "severity: low\n      runId: ${1 / 0}"))
    assert f"{file}:9: rules[0].report.runId: '${{1 / 0}}' never gives a value" in run(monkeypatch, "test", file)


@pytest.mark.parametrize(
    ("good", "bad", "difference"),
    [
        ("[{ignore: fine}]", "[{ignore: good}]", "16: says 'fine', not 'good'"),
        ("[{ignore: fine}]", "[{resolve: {}}]", "16: is ignore (fine), not resolve"),
        ("{title: It broke}", "{severity: info, title: It is}", "13: title is 'It broke', not 'It is'"),
        ("[{ignore: fine}]", "[]", "16: has 1 items, not 0"),
    ],
)
def test_one_that_is_not_as_expected_is_a_failure(monkeypatch, capsys, tmp_path, good, bad, difference):
    file = tmp_path / "tool.yaml"
    assert good in TOOL
    file.write_text(TOOL.replace(good, bad))
    assert run(monkeypatch, "test", file) == 1
    told = capsys.readouterr().out
    assert f"{file}:{difference}" in told
    assert told.endswith("2 samples, 1 failed\n")


@pytest.mark.parametrize(
    ("good", "bad", "problem"),
    [
        ("body.ok == false", "body.ok ==", "tool.yaml:4: rules[0].when: 'body.ok ==' cannot be read"),
        ("rules:", "required: [run.id]\nrules:", "tool.yaml:2: required[0]: 'run.id' must be like body.run.id"),
        ("rules:", "required: [item.id]\nrules:", "tool.yaml:2: required[0]: there are no items without each"),
        ("samples:", "sample:", "tool.yaml:13: sample: is not a key here"),
        (TOOL[TOOL.index("samples:") :], "", "tool.yaml: has no samples"),
        (TOOL, "webhooks: []", "tool.yaml: has no samples"),
    ],
)
def test_what_is_no_definition_is_told_in_a_line(monkeypatch, tmp_path, good, bad, problem):
    file = tmp_path / "tool.yaml"
    assert good in TOOL
    file.write_text(TOOL.replace(good, bad))
    told = run(monkeypatch, "test", file)
    assert problem in told
    assert "\n" not in told


def test_a_file_of_paths_is_tried_too(monkeypatch, capsys, tmp_path):
    file = tmp_path / "tool.yaml"
    text = Path("webhooks/definitions/build.yaml").read_text().replace("/api/v1/webhooks/", "/hooks/")
    file.write_text(text)
    assert run(monkeypatch, "test", file) == 0
    told = capsys.readouterr().out
    assert "ok     a build failed\n       0: report\n" in told
    assert told.endswith("3 samples, 0 failed\n")
    file.write_text(text.replace("severity: major, issueType", "severity: minor, issueType"))
    assert run(monkeypatch, "test", file) == 1
    assert "severity is 'major', not 'minor'" in capsys.readouterr().out


def test_what_must_be_there_is_named_where_it_is_not(monkeypatch, capsys, tmp_path):
    file = tmp_path / "tool.yaml"
    required = TOOL.replace("rules:", "required: [body.run.id, headers.X-Event]\nrules:", 1)
    file.write_text(required.replace("body: {ok: true}", "body: {ok: true, run: {id: 0}}\n    headers: {X-Event: run}"))
    assert run(monkeypatch, "test", file) == 1
    told = capsys.readouterr().out
    assert "0: fail: required: there is no body.run.id\n" in told
    assert "0: ignore by 'rule 2': fine" in told


@pytest.mark.parametrize("file", ["-", "/dev/stdin"])
def test_what_comes_through_a_pipe_has_no_name(tmp_path, file):
    command = [str(Path(sys.executable).parent / "issuegraph"), "webhook", "test", file]
    done = subprocess.run(command, input=TOOL, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert (done.returncode, "source: webhook\n" in done.stdout) == (0, True), done.stderr


def test_the_shipped_ones_are_listed_and_shown(monkeypatch, capsys):
    assert run(monkeypatch, "list") == 0
    listed = capsys.readouterr().out
    for definition in ours().single:
        assert f"{definition.name:20} {definition.title}\n" in listed
    assert run(monkeypatch, "show", "generic") == 0
    assert capsys.readouterr().out == next(each.text for each in ours().single if each.name == "generic")
    assert "there is no definition 'nothing'; there are " in run(monkeypatch, "show", "nothing")
