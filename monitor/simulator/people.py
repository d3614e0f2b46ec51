"""A seeded random source in, believable names, places and titles out."""

from __future__ import annotations

from random import Random
from typing import NamedTuple
from uuid import UUID

_GIVEN = (
    "Amelia Olivia Isla Ava Freya Priya Zainab Chloe Niamh Megan Aoife Fatima Hannah Grace Sofia Ines "
    "Katarzyna Yasmin Oliver George Arthur Noah Mohammed Callum Rhys Dylan Kwame Tomasz Liam Arjun Samuel "
    "Ethan Mateusz Idris Ewan Jamal"
)
_FAMILY = (
    "Smith Jones Williams Taylor Davies Evans Thomas Roberts Khan Patel Walker Wright Thompson Hughes "
    "Green Begum Ali Murphy Campbell Stewart MacDonald Okafor Nowak Kowalska Singh Ahmed Mensah Fraser "
    "Doyle Griffiths Bailey Shah"
)
_COMPANY = (
    "Northgate Pennine Harbour Wharfside Calder Severn Kestrel Beacon Ironbridge Tyne Cotswold Redbrick "
    "Lakeland Mersey Thornbury Ashdown Stonebridge Fenland Trent Highland"
)
_BUSINESS = "Logistics Haulage Freight Distribution Couriers Transport Supply Foods Parcels Coaches Removals"
_LEGAL = ("Ltd", "Group", "& Sons", "PLC", "UK")
_TOWNS = (
    ("Leeds", "LS"),
    ("Liverpool", "L"),
    ("Nottingham", "NG"),
    ("Manchester", "M"),
    ("Bristol", "BS"),
    ("Cardiff", "CF"),
    ("Glasgow", "G"),
    ("Norwich", "NR"),
    ("Sheffield", "S"),
    ("Plymouth", "PL"),
    ("Newcastle", "NE"),
    ("Reading", "RG"),
    ("Coventry", "CV"),
    ("Belfast", "BT"),
    ("London", "SE"),
)
_DRIVING = (
    "HGV Class 1 Driver",
    "HGV Class 2 Driver",
    "7.5 Tonne Driver",
    "Van Driver, Multi-drop",
    "Night Trunk Driver",
    "Tanker Driver (ADR)",
    "Refrigerated Goods Driver",
    "Coach Driver",
    "HIAB Operator",
    "Courier, Same Day",
    "Car Transporter Driver",
    "Shunter, Yard",
)
_OFFICE = (
    ("Software Engineer", "SE"),
    ("Site Reliability Engineer", "SRE"),
    ("Payroll Specialist", "PAY"),
    ("Transport Planner", "TP"),
    ("Account Manager", "AM"),
    ("Data Analyst", "DA"),
    ("Warehouse Supervisor", "WS"),
    ("Customer Support Lead", "CS"),
    ("Product Designer", "PD"),
    ("Finance Business Partner", "FBP"),
    ("Recruitment Coordinator", "RC"),
    ("Health and Safety Officer", "HSO"),
)
_RETURNS = ("1040", "1040-NR", "1065", "1120-S", "1120", "990", "941", "Sales tax", "Bookkeeping")
_DEPARTMENTS = ("Operations", "Engineering", "Finance", "People", "Sales", "Customer Care")


class Person(NamedTuple):
    """Somebody, with a name that may well exist."""

    given: str
    family: str

    @property
    def name(self) -> str:
        """Given and family name."""
        return f"{self.given} {self.family}"

    @property
    def email(self) -> str:
        """An address in a domain that is reserved for examples."""
        return f"{self.given}.{self.family}@example.com".lower()


class People:
    """Draws names, places and titles from one random source: the same seed gives the same people in the same
    order.
    """

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._given, self._family = _GIVEN.split(), _FAMILY.split()
        self._brands, self._trades = _COMPANY.split(), _BUSINESS.split()

    def person(self) -> Person:
        """Draw a person."""
        return Person(self._rng.choice(self._given), self._rng.choice(self._family))

    def company(self) -> str:
        """Draw the name of a company."""
        head, tail = self._rng.choice(self._brands), f"{self._rng.choice(self._trades)} {self._rng.choice(_LEGAL)}"
        return f"{head} {tail}" if self._rng.random() < 0.7 else f"{self._rng.choice(self._family)}-{head} {tail}"

    def town(self) -> str:
        """Draw a town of the United Kingdom."""
        return self._rng.choice(_TOWNS)[0]

    def postcode(self) -> str:
        """Draw a postcode in the form the Royal Mail uses, such as ``LS1 4DY``."""
        letters = "ABDEFGHJLNPQRSTUWXYZ"
        area = self._rng.choice(_TOWNS)[1]
        inward = f"{self._rng.randint(1, 9)}{self._rng.choice(letters)}{self._rng.choice(letters)}"
        return f"{area}{self._rng.randint(1, 28)} {inward}"

    def driving_job(self) -> str:
        """Draw the title of a driver's job."""
        return self._rng.choice(_DRIVING)

    def office_job(self) -> tuple[str, str]:
        """Draw the title of an office job and the letters its code starts with."""
        return self._rng.choice(_OFFICE)

    def tax_return(self, year: int) -> str:
        """Draw the description of a tax job, as in ``Tony Stark | 2021 | 1040``."""
        return f"{self.person().name} | {year - self._rng.randint(1, 3)} | {self._rng.choice(_RETURNS)}"

    def department(self) -> str:
        """Draw a department."""
        return self._rng.choice(_DEPARTMENTS)

    def uuid4(self) -> str:
        """Draw a random UUID."""
        return str(UUID(bytes=self._rng.randbytes(16), version=4))

    def uuid7(self, millis: int) -> str:
        """Draw a UUID version 7, which sorts by the given epoch milliseconds.

        https://www.rfc-editor.org/rfc/rfc9562
        """
        chance = (self._rng.getrandbits(12) << 64) | (2 << 62) | self._rng.getrandbits(62)
        value = (millis << 80) | (7 << 76) | chance
        return str(UUID(int=value))
