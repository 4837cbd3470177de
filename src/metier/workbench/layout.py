"""The folder of a job: what the server leaves for the child, and what the child leaves for whoever looks.

jobs/<id>/
  job.json        token of the attempt, kind, what to run; written by the server before a start
  child.json      who runs it: token, pid, start time of the process, boot of the machine
  heartbeat       touched every few seconds by a child that lives
  events.jsonl    every event of every step, in order, over all attempts
  log.txt         what the child wrote to its terminal, its middle cut out where it grew too long
  result.json     token, outcome and reason; written last
  data/           the sets as they were when the job was submitted
  run/            the run folder
"""

from __future__ import annotations

from pathlib import Path

JOB, CHILD, RESULT = "job.json", "child.json", "result.json"
HEARTBEAT, LOG, EVENTS = "heartbeat", "log.txt", "events.jsonl"
DATA, RUN = "data", "run"


def job_folder(jobs: Path, job_id: str) -> Path:
    """The folder of a job. Ids are made by the server; anything else is our bug."""
    if not job_id.isalnum():
        raise ValueError(job_id)
    return jobs / job_id
