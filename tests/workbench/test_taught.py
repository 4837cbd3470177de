"""Sets that a model was trained on are known over all the runs it came from."""

from __future__ import annotations

from metier.workbench.accounts import Person
from metier.workbench.workbench import Workbench
from tests.support.bench import member
from tests.support.finished import add_job


def test_sets_are_followed_from_run_to_run(workbench: Workbench, owner: Person) -> None:
    first = add_job(workbench, owner, "train", dataset="cases, letters")
    second = add_job(
        workbench, owner, "recipe", model_name_or_path=f"run:{first.id}", data={"train": "law", "test": "law_test"}
    )
    third = add_job(workbench, owner, "train", adapter_name_or_path=f"run:{second.id}", dataset="notes")
    assert workbench.taught.sets(owner, f"run:{third.id}") == {"cases", "letters", "law", "notes"}
    assert workbench.taught.sets(owner, "smollm2-135m", None, "run:0000000000000000") == set()
    other = member(workbench, owner, "wang")
    assert workbench.taught.sets(other, f"run:{third.id}") == set()


def test_an_evaluation_on_what_was_trained_on_is_seen(workbench: Workbench, owner: Person) -> None:
    run = add_job(workbench, owner, "recipe", data={"train": "law", "test": "law_test"})
    model = f"run:{run.id}"

    def seen(kind: str, **asked: object) -> list[str]:
        return workbench.taught.seen(owner, add_job(workbench, owner, kind, **asked))

    assert seen("score", predict={"model_name_or_path": model, "dataset": "cases,law"}) == ["law"]
    assert seen("score", predict={"model_name_or_path": model, "dataset": "law_test"}) == []
    assert seen("score", predict={"model_name_or_path": "smollm2-135m", "dataset": "law"}) == []
    assert seen("score", predict={"adapter_name_or_path": model, "dataset": "law"}) == ["law"]
    assert seen("recipe", data={"train": "law", "test": "law"}) == ["law"]
    assert seen("recipe", model_name_or_path=model, data={"train": "more", "test": "law"}) == ["law"]
    predicted = add_job(workbench, owner, "predict", model_name_or_path=model, dataset="law")
    assert workbench.taught.seen(owner, predicted) == ["law"]
    assert seen("evaluate", pred_file=f"run:{predicted.id}/predict") == ["law"]
    assert seen("evaluate", pred_file=f"run:{run.id}/predict-base") == seen("evaluate", pred_file="") == []
    assert seen("recipe", data={"train": "", "test": ""}) == []
