"""Hubs, against a small server on this machine that speaks Hugging Face's protocol."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from metier.core.errors import ModelError
from metier.core.files import read_json, verify_manifest
from metier.models import load_model, remove_model, resolve_model

COMMIT = "c0ffee" + "0" * 34


def _tag(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()  # noqa: S324 - what git, and so the hub, names files by


class _Hub(BaseHTTPRequestHandler):
    """Serves the files of `server.files` as the repository `team/model`; `team/gated` asks for consent."""

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        files: dict[str, bytes] = self.server.files  # type: ignore[attr-defined]
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        path = self.path.partition("?")[0]
        if "team/gated" in path:
            return self._send(403, b"", {"X-Error-Code": "GatedRepo"}, body)
        if path.startswith("/api/models/team/model/tree/"):
            tree = [
                {"type": "file", "path": name, "size": len(content), "oid": _tag(content)}
                for name, content in files.items()
            ]
            return self._send(200, json.dumps(tree).encode(), {"Content-Type": "application/json"}, body)
        if path.startswith("/api/models/team/model"):
            siblings = [{"rfilename": name, "size": len(content)} for name, content in files.items()]
            return self._send(
                200, json.dumps({"id": "team/model", "sha": COMMIT, "siblings": siblings}).encode(), {}, body
            )
        name = path.partition(f"/resolve/{COMMIT}/")[2]
        if name in files:
            headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{_tag(files[name])}"'}
            return self._send(200, files[name], headers, body)
        return self._send(404, b"", {"X-Error-Code": "RepoNotFound"}, body)

    def _send(self, status: int, content: bytes, headers: dict[str, str], body: bool) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(key, value)
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Tests are quiet."""


@pytest.fixture
def hub(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    from huggingface_hub import constants

    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    server.files = {path.name: path.read_bytes() for path in tiny_model.iterdir()}  # type: ignore[attr-defined]
    server.asked = []  # type: ignore[attr-defined]
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_model_comes_whole_with_its_commit_recorded(hub: ThreadingHTTPServer, own_home: Path) -> None:
    resolved = resolve_model("hf:team/model")
    assert resolved.folder == own_home / "models" / "team--model"
    verify_manifest(resolved.folder)
    assert read_json(resolved.folder / "source.json")["revision"] == COMMIT
    assert load_model(resolved).config.hidden_size == 32


def test_only_weights_configuration_and_tokenizer_are_fetched(hub: ThreadingHTTPServer) -> None:
    extra = ["pytorch_model.bin", "modeling_x.py", "original/consolidated.safetensors", "consolidated.safetensors"]
    hub.files |= dict.fromkeys(extra, b"no")  # type: ignore[attr-defined]
    folder = resolve_model("hf:team/model").folder
    assert not [name for name in extra if (folder / name).exists()]
    assert not [path for path in hub.asked if path.endswith((".bin", ".py"))]  # type: ignore[attr-defined]


def test_what_is_here_is_not_asked_for_again(hub: ThreadingHTTPServer) -> None:
    resolve_model("team/model")
    hub.asked.clear()  # type: ignore[attr-defined]
    resolve_model("hf:team/model")
    assert hub.asked == []  # type: ignore[attr-defined]


def test_a_download_that_broke_goes_on(hub: ThreadingHTTPServer, own_home: Path) -> None:
    weights = hub.files.pop("model.safetensors")  # type: ignore[attr-defined]
    hub.files["model-00001.safetensors"] = b"broken"  # type: ignore[attr-defined]
    with pytest.raises(ModelError, match="not a whole safetensors file"):
        resolve_model("team/model")
    assert not (own_home / "models" / "team--model").exists()
    hub.files |= {"model-00001.safetensors": weights}  # type: ignore[attr-defined]
    hub.asked.clear()  # type: ignore[attr-defined]
    resolve_model("team/model")
    assert not [path for path in hub.asked if path.endswith("tokenizer.json")]  # type: ignore[attr-defined]


def test_a_repository_of_pickles_is_refused_before_anything_is_fetched(hub: ThreadingHTTPServer) -> None:
    hub.files["pytorch_model.bin"] = hub.files.pop("model.safetensors")  # type: ignore[attr-defined]
    with pytest.raises(ModelError, match=r"hf:team/model/pytorch_model\.bin is a pickle"):
        resolve_model("team/model")
    assert not [path for path in hub.asked if "/resolve/" in path]  # type: ignore[attr-defined]


def test_a_gated_model_says_where_to_consent(hub: ThreadingHTTPServer) -> None:
    with pytest.raises(ModelError, match=r"consent to its licence. Accept it at http.*/team/gated, then set HF_TOKEN"):
        resolve_model("hf:team/gated")


def test_a_repository_that_is_not_there_is_named(hub: ThreadingHTTPServer) -> None:
    with pytest.raises(ModelError, match=r"hf:team/absent .* is not on the hub"):
        resolve_model("hf:team/absent")


def test_a_hub_out_of_reach_says_where_to_place_the_files(hub: ThreadingHTTPServer, own_home: Path) -> None:
    hub.shutdown()
    hub.server_close()
    with pytest.raises(ModelError, match=f"in {own_home}/models/team--model, or give the path"):
        resolve_model("hf:team/model")


def test_a_fetched_model_can_be_removed(hub: ThreadingHTTPServer, own_home: Path) -> None:
    resolve_model("team/model")
    remove_model("team--model")
    assert not (own_home / "models" / "team--model").exists()


def test_modelscope_that_is_not_installed_says_how(hub: ThreadingHTTPServer) -> None:
    pytest.importorskip("huggingface_hub")
    with pytest.raises(ModelError, match="pip install modelscope"):
        resolve_model("ms:Qwen/Qwen3-8B")


def test_of_two_that_want_a_model_one_fetches_it(hub: ThreadingHTTPServer) -> None:
    with ThreadPoolExecutor(2) as pool:
        folders = list(pool.map(lambda _: resolve_model("team/model").folder, range(2)))
    assert folders[0] == folders[1]
    questions = [path for path in hub.asked if path.startswith("/api/models/team/model?")]  # type: ignore[attr-defined]
    assert len(questions) == 1


def test_what_a_killed_fetch_left_behind_is_swept(hub: ThreadingHTTPServer, own_home: Path) -> None:
    left = own_home / "models" / ".team--model.1234abcd.tmp"
    left.mkdir(parents=True)
    resolve_model("team/model")
    assert not left.exists()
