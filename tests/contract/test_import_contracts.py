"""The import contracts of pyproject.toml hold, and each of them fails where it is broken on purpose."""

import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
PURE = next(contract for contract in CONTRACTS if contract["id"] == "pure")


@dataclass(frozen=True)
class Plant:
    """A violation: a module added to the package, and what the linter must say of it."""

    contract: str
    path: str
    code: str
    said: str


def planted(contract: str, path: str, imported: str) -> Plant:
    importer = path.removesuffix(".py").replace("/", ".")
    return Plant(contract, path, f"import {imported}", f"{importer} -> {imported}")


PLANTS = [
    planted("layers", "app/kit/planted.py", "app.journal.journal"),
    planted("layers", "app/domain/planted.py", "app.db.engine"),
    planted("layers", "app/journal/planted.py", "app.auth"),
    planted("layers", "app/auth/planted.py", "app.problems"),
    planted("layers", "app/metrics/planted.py", "app.settings"),
    planted("layers", "app/settings/planted.py", "app.wiring"),
    planted("layers", "app/wiring/planted.py", "app.main"),
    planted("layers", "app/worker/planted.py", "app.command_line"),
    planted("layers", "app/cases/planted.py", "app.feedback.repository"),
    planted("layers", "app/sources/planted.py", "app.db.engine"),
    Plant("layers", "app/unplaced.py", "", "app.unplaced"),
    *(
        planted("pure", f"app/{package}/planted.py", module)
        for package in ("domain", "sources")
        for module in PURE["forbidden_modules"]
    ),
    planted("routers", "app/cases/planted/router.py", "sqlalchemy"),
    planted("routers", "app/planted/router.py", "asyncpg"),
    planted("routers", "app/configuration/planted/router.py", "app.db.tables.cases"),
    planted("routers", "app/planted/router.py", "app.db.bulk"),
    planted("tables", "app/ingest/planted.py", "app.db.tables.journal"),
    planted("tables", "app/cases/planted.py", "app.db.tables"),
    planted("http", "app/cases/planted.py", "httpx"),
    planted("http", "app/webhooks/planted.py", "httpx"),
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package and its contracts, in a place where they may be broken."""
    root = tmp_path_factory.mktemp("house")
    shutil.copytree(ROOT / "app", root / "app", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", root)
    return root


def lint(root: Path, *options: str) -> subprocess.CompletedProcess[str]:
    lint = "from importlinter.cli import lint_imports_command as lint; lint()"
    command = [sys.executable, "-c", lint, "--config", "pyproject.toml", *options]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120)


def test_the_house_keeps_its_contracts(copy):
    done = lint(copy)
    assert done.returncode == 0, done.stdout
    assert f"{len(CONTRACTS)} kept, 0 broken" in done.stdout


def test_each_contract_has_a_violation_planted():
    assert {plant.contract for plant in PLANTS} == {contract["id"] for contract in CONTRACTS}


def test_no_router_escapes_its_contract_by_its_name():
    covered = next(contract for contract in CONTRACTS if contract["id"] == "routers")["source_modules"]
    named = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in ROOT.glob("app/**/*_router.py")
    }
    assert named == {module for module in covered if not module.endswith(".router")}


def as_package(module: Path) -> bool:
    """Make room for a module below what is a plain module in the house: auth.py -> auth/__init__.py."""
    plain = module.parent.with_suffix(".py")
    if not plain.exists():
        return False
    module.parent.mkdir()
    plain.rename(module.parent / "__init__.py")
    return True


def plant_and_lint(root: Path, plants: list[Plant], contract: str) -> str:
    made: list[Path] = []
    moved: list[Path] = []
    try:
        for plant in plants:
            module = root / plant.path
            if as_package(module):
                moved.append(module.parent)
            elif not module.parent.exists():
                module.parent.mkdir(parents=True)
                (module.parent / "__init__.py").touch()
                made.append(module.parent)
            with module.open("a") as file:
                file.write(plant.code + "\n")
            made.append(module)
        done = lint(root, "--contract", contract)
        assert done.returncode == 1, done.stdout + done.stderr
        assert "0 kept, 1 broken" in done.stdout
        return done.stdout
    finally:
        for path in made:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        for package in moved:
            (package / "__init__.py").rename(package.with_suffix(".py"))
            shutil.rmtree(package)


@pytest.mark.parametrize(
    "plant", [p for p in PLANTS if p.contract != "pure"], ids=lambda p: f"{p.contract}: {p.said}"
)
def test_a_planted_violation_breaks_its_contract(copy, plant):
    said = plant_and_lint(copy, [plant], plant.contract)
    assert plant.said in said.replace("\n", " ")


def test_each_thing_that_the_pure_core_may_not_import_is_found_there(copy):
    plants = [plant for plant in PLANTS if plant.contract == "pure"]
    said = plant_and_lint(copy, plants, "pure")
    assert [plant.said for plant in plants if plant.said not in said] == []


def test_what_breaks_one_contract_leaves_the_house_whole_once_it_is_gone(copy):
    plant_and_lint(copy, [PLANTS[0]], "layers")
    assert lint(copy).returncode == 0
