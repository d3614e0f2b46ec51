from __future__ import annotations

import re
from typing import Any

import pytest

from monitor.simulator import Simulator
from tests.simulator.calls import Client, Clock, tax_job

# The fields of the published samples.
DRIVER = "id currency interviews job kind kind_updated_by last_contract money_earned updated_at"
DRIVERS_JOB = "id company currency end_date job_type number postcode published_at start_date title"
CONTRACT = "id days_to_expire end_date job_driver_id policy_schema start_date state"
INTERVIEW = (
    "id amend_end_at amend_start_at amended_by end_at interviewee_id interviewer_id kind location start_at status"
)
TAX_JOB = (
    "id short_id name description workspace_id status create_time update_time transmit_time deadline_time "
    "total_amount members"
)
ATS_JOB = (
    "id remote_id modified_at custom_fields name description code status job_posting_urls remote_created_at "
    "remote_updated_at confidential departments offices hiring_managers recruiters raw_data"
)
LONG_JOB = (
    "created_by created_date display_id id modified_by modified_date object_version job_category job_id metadata_list "
    "output_artifacts progress retry_count state title"
)


def test_documents_have_exactly_the_fields_of_the_published_samples() -> None:
    """Whatever life does to them, documents keep the shape the providers publish."""
    sim = Simulator(seed=8, now=Clock())
    for _ in range(400):
        sim.step()
    for doc in sim.driver_jobs.items.values():
        assert doc.keys() - {"pending_contract"} == set(DRIVER.split())
        assert doc["job"].keys() == set(DRIVERS_JOB.split())
        assert all(interview.keys() == set(INTERVIEW.split()) for interview in doc["interviews"])
        contracts = [doc[name] for name in ("last_contract", "pending_contract") if doc.get(name)]
        assert all(contract.keys() == set(CONTRACT.split()) for contract in contracts)
    expected = {"worklayer": TAX_JOB, "bindbee": ATS_JOB, "devrev": LONG_JOB}
    for provider, fields in expected.items():
        assert all(doc.keys() == set(fields.split()) for doc in sim.servers[provider].items.values()), provider


def test_the_people_and_their_jobs_differ() -> None:
    """Names, companies, titles and postcodes are varied and well formed."""
    drivers = Simulator(seed=1, now=Clock(), population=60).driver_jobs.items.values()
    jobs = [doc["job"] for doc in drivers]
    assert len({job["title"] for job in jobs}) > 8
    assert len({job["company"]["name"] for job in jobs}) > 40
    assert all(re.fullmatch(r"[A-Z]{1,2}\d{1,2} \d[A-Z]{2}", job["postcode"]) for job in jobs)


async def test_large_worlds_are_walked_whole_and_notice_changes(sim: Simulator, client: Client) -> None:
    """Beyond 2,000 documents the remembered order is dropped by every change."""
    for number in range(2500):
        sim.worklayer.put(tax_job(number, "CLAIMED" if number % 2 else "CLOSED"))
    everything = await client.walk_worklayer(page_size=100)
    still_open = await client.walk_worklayer(page_size=100, filter='status!="CLOSED"')
    sim.worklayer.patch(tax_job(1)["id"], {"status": "CLOSED"})
    sim.worklayer.remove(tax_job(3)["id"])
    fewer = await client.walk_worklayer(page_size=100, filter='status!="CLOSED"')
    assert (len(set(everything)), len(still_open), len(fewer)) == (2500, 1250, 1248)


@pytest.mark.parametrize("document", [{"name": "no id"}, {}])
def test_a_document_without_an_id_is_refused(document: dict[str, Any]) -> None:
    """put needs the id field."""
    with pytest.raises(ValueError, match="needs the field 'id'"):
        Simulator(population=0, now=Clock()).worklayer.put(document)
