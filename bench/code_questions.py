"""Our own small set of questions about code (code_questions.json) amid made-up distractors that share its words."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta, timezone
from pathlib import Path

from bench.dialogues import Conversation, Question, Said

DATA = Path(__file__).with_name("code_questions.json")
DISTRACTORS = 400
SESSIONS = 11
SEED = 7
CATEGORY = "code"
BEGAN = datetime(2026, 2, 3, 9, 0, tzinfo=timezone.utc)

_TEMPLATES = (
    "Can you look at {path}? {ident} does not do what its name says.",
    "I renamed {ident} to {ident2} and moved it to {path}; the tests pass.",
    "{error} in {path}, and I have no idea why it only happens on {place}.",
    "The {thing} is slow since we changed {ident}. Profile it before you touch anything.",
    "Done. {ident} takes a {word} now, and {path} no longer imports {ident2}.",
    "We decided to keep the {thing} in {path} until {version} is out.",
    "Please add a test for {ident} with an empty {word} and one for a {word2} that is too long.",
    "The {thing} failed on {place} again. I restarted it, the {word} was locked.",
    "{ident} returns None when the {word} is missing; callers in {path} check for that.",
    "Bumped {package} to {version}, the changelog mentions the {thing} but nothing that breaks us.",
    "Where is the {thing} configured? I only find {ident} in {path}.",
    "The reason is simple: the {word} was read before the {word2} was written. I swapped the two calls in {ident}.",
    "I would rather not set {env} on {place}; let us read it from {path}.",
    "Reviewed {path}: two names are misleading, {ident} and {ident2}, the rest is fine.",
    "Ran the whole suite on {place}: 412 passed, 3 skipped. The {thing} took most of the time.",
)
_SLOTS = {
    "path": "src/http/routes/orders.ts app/db/session.py config/app.toml deploy/nginx/site.conf src/scheduler/queue.rs "
    "billing/report.py packages/ui/Button.tsx docker-compose.yml scripts/import.sh validators/address.py "
    "src/http/middleware/auth.ts app/models/customer.py tests/test_upload.py .github/workflows/ci.yml",
    "ident": "parseRequest load_config retry_request RateWindow poolTimeout max_items useCheckout groupOrders "
    "CacheEntry tenant_slug buildIndex normalizePhone tokenService rotate_logs invoice_total parse_args YamlWriter "
    "limitRows customerName addressForm sessionStore uploadChunk webhookUrl queue_depth log_format eventFeed "
    "maxRetries retry_count middlewareStack poolSizeHint parse_yaml ConfigFile cacheKey customer_key verifySsl "
    "refreshTokens get_stock maxBodyLength initial_delay log_level split_address accountEvents useMemoized",
    "error": "TypeError: undefined is not a function|ValueError: invalid literal for int()|ETIMEDOUT 10.0.0.12:6379|"
    "KeyError: 'order_id'|error[E0382]: use of moved value|HTTP 502 from the gateway|ENOENT: no such file or directory|"
    "IntegrityError: duplicate key value violates unique constraint",
    "place": "staging|the CI runners|production|my laptop|the Debian image|the replica|the test cluster",
    "thing": "import job|upload|feature flag|cache|migration|session cleanup|webhook|rate window|checkout|health check|"
    "index|log shipping|token refresh|report|address form|queue|rate limiter|middleware|connection pool|yaml loader|"
    "signature check|design tokens|readiness probe|nightly import|invoice rounding|ssl verification|email check",
    "word": "request token column row limit file key tenant customer invoice address container connection retry",
    "package": "numpy sqlalchemy eslint stripe turbo libvips express terraform redis",
    "version": "v2.14.1 v2.13.0 v2.15.0 1.26.0 3.0.2 2.4.3 0.42.0 v3.14.2",
    "env": "APP_LOG_FORMAT QUEUE_RETRY_LIMIT NODE_OPTIONS PGHOST CACHE_TTL UPLOAD_MAX_SIZE",
}


def read() -> Conversation:
    """The set as one conversation of several sessions on several days."""
    data = json.loads(DATA.read_text("utf-8"))
    rng = random.Random(SEED)  # noqa: S311 - the same distractors on every run
    turns = [Said(turn["id"], turn["role"] == "user", turn["text"]) for turn in data["turns"]]
    turns += [Said(f"distractor-{n}", rng.random() < 1 / 2, _distractor(rng)) for n in range(DISTRACTORS)]
    rng.shuffle(turns)
    sessions = [(BEGAN + timedelta(days=day), turns[day::SESSIONS]) for day in range(SESSIONS)]
    questions = [Question(one["question"], CATEGORY, one["answers"]) for one in data["questions"]]
    return Conversation(CATEGORY, sessions, questions)


def _distractor(rng: random.Random) -> str:
    values = {}
    for name, texts in _SLOTS.items():
        choices = texts.split("|") if "|" in texts else texts.split()
        values[name], values[name + "2"] = rng.sample(choices, 2)
    return rng.choice(_TEMPLATES).format(**values)
