"""`llm-memory narrate PROJECT`: have Claude write a project's narrative now, in a run whose cost is said before."""

from __future__ import annotations

from hooks.shipped_files import SKILL, skill_texts
from memories import narrate, selectors
from memories.core import budget, records
from memories.core.cleaning import clean
from memories.core.errors import NarrateError
from memories.core.settings import disabled_by_environment, read_settings
from memories.terminal import command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from typing import Any

    from memories.core.scope import Scope


class Command(command.Command):
    """Never run by anything but a person. Exit 1 when no narrative was stored."""

    help = "Write or refresh a project's narrative with `claude -p`: the cost is estimated first and capped."
    examples = ("narrate orders-api --dry-run", "narrate orders-api --max-usd 2", "narrate orders-api --dry-run --json")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The project and the cap."""
        parser.add_argument("project", metavar="PROJECT", help="a project's name or id")
        parser.add_argument(
            "--max-usd",
            type=float,
            default=narrate.DEFAULT_MAX_USD,
            help=f"what the run may cost at most, in US dollars (default {narrate.DEFAULT_MAX_USD:.2f})",
        )
        parser.add_argument("--model", help="the model, as `claude --model` takes it (default: the client's own)")
        parser.add_argument("--dry-run", action="store_true", help="only say what it would read and cost")
        parser.add_argument("--json", action="store_true", help="the plan and the outcome as JSON")

    def handle(self, **options: Any) -> None:
        """Estimate, run, report."""
        if disabled_by_environment():
            raise NarrateError("LLM_MEMORY_DISABLE is set: nothing would be stored. Unset it first.")
        cap = options["max_usd"]
        scope = selectors.named_scope(self.folder, options["project"], None, read_settings(self.folder)[0])
        before = selectors.narrative_coverage(self.folder, scope)
        wanted = narrate.plan(before, self._narrative_tokens(before["narrative_uuid"]), cap)
        as_json = options["json"]
        told = {"project": wanted.project, "plan": _plan(wanted, cap), "stored": False, "uuid": None, "cost_usd": None}
        if not as_json:
            self._announce(wanted, cap)
        if options["dry_run"]:
            if as_json:
                self.say_json(told)
            return
        prompt = narrate.task(skill_texts()[SKILL].decode("utf-8"), wanted, self._project_id(scope))
        outcome = narrate.run(
            self.folder,
            wanted,
            prompt,
            max_usd=cap,
            model=options["model"],
            progress=lambda name: None if as_json else self.say(f"  {clean(name)}"),
        )
        after = selectors.narrative_coverage(self.folder, scope)
        _refuse_unless_stored(wanted, outcome, before, after)
        if as_json:
            stored = {"stored": True, "uuid": after["narrative_uuid"], "cost_usd": outcome.cost_usd}
            self.say_json({**told, **stored, "ended_early": outcome.reason or None})
        else:
            self._report(wanted, outcome, after)

    def _narrative_tokens(self, uuid: str | None) -> int:
        return budget.tokens(records.load(self.folder, uuid)["content"]) if uuid else 0

    def _project_id(self, scope: Scope) -> str:
        if len(scope.ids) > 1:
            raise NarrateError(
                f"The name {scope.name!r} fits several projects: {', '.join(sorted(scope.ids))}. Name one by its id."
            )
        return next(iter(scope.ids), scope.name)

    def _announce(self, wanted: narrate.Plan, cap: float) -> None:
        sessions = f"{len(wanted.sessions)} session{'s' * (len(wanted.sessions) != 1)}"
        later = f", {wanted.left} more in a later run" if wanted.left else ""
        self.say(f"{wanted.project}: {sessions} to read, about {wanted.tokens:,} tokens{later}.")
        self.say(
            f"Estimated cost: {wanted.usd:.2f} USD at {narrate.MTOK_IN:.0f} USD a million tokens in and "
            f"{narrate.MTOK_OUT:.0f} out; never more than {cap:.2f} USD. A subscription counts it as usage."
        )
        last = narrate.last_run(self.folder)
        if last:
            self.say(f"The last run was estimated at {last[0]:.2f} and cost {last[1]:.2f} USD.")

    def _report(self, wanted: narrate.Plan, outcome: narrate.Outcome, after: dict[str, Any]) -> None:
        self.say(
            f"Stored as {after['narrative_uuid']} {_cost(outcome)} (estimated {wanted.usd:.2f}). "
            f"{clean(after['summary'])}"
        )
        if outcome.reason:
            self.say(f"The run then ended early: {clean(outcome.reason)}.")


def _plan(wanted: narrate.Plan, cap: float) -> dict[str, Any]:
    return {
        "sessions": list(wanted.sessions),
        "left": wanted.left,
        "tokens": wanted.tokens,
        "estimated_usd": round(wanted.usd, 4),
        "max_usd": cap,
    }


def _cost(outcome: narrate.Outcome) -> str:
    return "at a cost that is not known" if outcome.cost_usd is None else f"for {outcome.cost_usd:.2f} USD"


def _refuse_unless_stored(
    wanted: narrate.Plan, outcome: narrate.Outcome, before: dict[str, Any], after: dict[str, Any]
) -> None:
    """Raises NarrateError with what the run said where the project's narrative is still the one before."""
    if after["narrative_uuid"] == before["narrative_uuid"]:
        why = outcome.reason or f"Claude ended without storing one: {outcome.answer[:300]}"
        raise NarrateError(f"No narrative was stored ({_cost(outcome)}, estimated {wanted.usd:.2f}): {why}.")
