"""Material of the narrative bench: sentences of a project's decisions, gotchas and next steps, and words for rewording.

In each sentence `{i}` is an identifier, `{n}` a number, `{p}` a name, `{c}` a component; each is drawn once per item.
"""

from __future__ import annotations

DECISIONS = (
    "Use {p} for the {c} service because it supports transactions and the team knows it",
    "The {c} pool holds {n} connections, since more of them starve the reports",
    "`{i}` is the only writer of the {c} table, so that two jobs never race",
    "Retry a failed {c} call {n} times with backoff, then park it in the dead letter queue",
    "{c} tokens expire after {n} minutes; longer sessions were rejected in the security review",
    "We store {c} amounts as integers in cents, computed by `{i}`, because floats lost money",
    "{p} was chosen over the alternatives for {c} search: cheaper to run and easy to back up",
    "Feature flags of {c} live in `{i}` and are read once at start to keep requests fast",
    "Deploys of {c} need approval from {p}, who owns the on-call rota",
    "Cache {c} answers for {n} seconds in {p}; stale answers are acceptable there",
    "The {c} API is versioned in the path under `{i}`, because headers get lost in proxies",
    "Logs of {c} are kept {n} days, which is what the auditors asked for",
)
GOTCHAS = (
    "`{i}` returns an empty list instead of an error when the {c} backend is down",
    "The {c} tests fail on machines with fewer than {n} cores unless run serially",
    "{p} caches DNS for {n} seconds, so a moved {c} host is found late",
    "Importing `{i}` twice registers the {c} signal handlers twice and doubles every mail",
    "The staging {c} database runs {n} minutes behind because of the replica",
    "{c} timestamps from {p} are in local time, not in UTC",
    "`{i}` must be called before the {c} client starts or the config is silently ignored",
    "Uploads to {c} above {n} MB are cut by the proxy without any message",
)
NEXT = (
    "Move the {c} jobs from cron to {p} once the queue is stable",
    "Raise the {c} timeout to {n} seconds and watch the error rate for a week",
    "Replace `{i}` in {c} by the shared helper and delete the old module",
    "Ask {p} whether the {c} export may contain customer names",
    "Write a load test for {c} with {n} parallel clients",
    "Add an index for the slow {c} query that `{i}` issues",
    "Document how {c} is restored from a backup older than {n} days",
)
FRESH = (
    "The {c} dashboard shows {n} metrics; {p} reads them every morning",
    "`{i}` replaced three scripts of {c} and is covered by tests",
    "{c} webhooks are signed since {p} found a forged one",
    "Watch the {c} memory use: {n} MB is where the kernel kills it",
    "Accept only signed {c} uploads through `{i}`, at most {n} an hour",
)
"""Of what a rewriting adds."""

COMPONENTS = (
    "billing invoicing orders catalog checkout shipping parcels search inventory pricing reporting accounts login "
    "notification export import scheduler gateway ledger refund"
).split()
NAMES = (
    "Postgres Redis Kafka RabbitMQ Elastic Celery Nginx Vault Terraform Grafana Sentry Stripe Twilio Kubernetes Alice "
    "Bob Carol Dmitri Erika Farid Ingrid Jonas Lena Marta Nikolai Olga Pavel Rosa Tomas Ursula"
).split()
IDENTIFIER_PARTS = (
    "order cache token batch retry sync price stock mail export client audit queue user index rate".split()
)
VERBS = "load save fetch build parse flush merge check send lock".split()

SYNONYMS = {
    form: tuple(other for other in group.split("|") if other != form)
    for group in (
        "use|take|go with", "because|since|as", "supports|offers|has", "knows|is used to", "holds|has|keeps",
        "starve|block", "only|sole", "never|do not ever", "retry|try again", "failed|broken", "call|request",
        "times|attempts", "park|put", "expire|run out", "after|following", "longer|bigger", "rejected|turned down",
        "review|audit", "store|keep|save", "lost|dropped", "chosen|picked|selected", "cheaper|less costly",
        "easy|simple", "back up|copy away", "live|are found|sit", "read|loaded", "start|launch|boot", "fast|quick",
        "need|require", "approval|a go-ahead", "owns|runs", "acceptable|fine|tolerable", "get|are", "kept|retained",
        "asked for|demanded", "returns|gives|yields", "empty|blank", "error|failure", "down|unreachable",
        "fail|break", "machines|boxes", "fewer|less", "unless|except when", "serially|one by one", "moved|relocated",
        "found|noticed", "late|with delay", "twice|two times", "registers|adds", "doubles|duplicates",
        "runs|is", "behind|late", "silently|without a word", "ignored|skipped", "cut|truncated", "message|notice",
        "move|migrate|shift", "once|when", "stable|settled", "raise|increase|lift", "watch|monitor|observe",
        "replace|swap", "shared|common", "delete|remove", "old|former", "ask|check with", "whether|if",
        "may contain|can include", "write|create", "parallel|concurrent", "add|create", "slow|sluggish",
        "issues|runs", "document|describe", "restored|recovered", "older|more aged", "answers|responses",
        "customer names|names of customers", "database|data store", "team|group", "jobs|tasks", "money|cents",
    )
    for form in group.split("|")
}  # fmt: skip
"""A phrase -> others that say the same."""

FILLERS = (
    "as agreed", "for now", "this holds", "see the discussion", "in short", "settled", "note this", "still true",
    "the outcome", "our choice", "by design", "on purpose",
)  # fmt: skip
DROPPED = frozenset("the a an of for is are so that it to and in with be was were there which then".split())
NUMBER_WORDS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine", 12: "twelve"}
HISTORY = (
    "Session {k} worked on {c} and looked at `{i}`; {p} joined the discussion.",
    "In session {k} the {c} errors fell by {n} percent after the fix.",
)
