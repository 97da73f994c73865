"""Secrets that are made up by a seed, in the surroundings where they leak, and what looks like one but is none.

No secret is written down here: marks are put together from parts, so that no scanner of a hosting site finds one.
Each third template is held out: the rules were written and tuned without looking at what they do to it.
"""

from __future__ import annotations

import base64
import random
import string
from collections.abc import Callable, Iterator
from typing import NamedTuple

from tests.core import secret_lookalikes, secret_output_corpus

HEX = "0123456789abcdef"
LOWER = string.ascii_lowercase + string.digits
UPPER = string.ascii_uppercase + string.digits
WORD = string.ascii_letters + string.digits
URL = WORD + "-_"
B64 = WORD + "+/"

SEED = 20260117


class Leak(NamedTuple):
    """A text that holds secrets. secrets: the characters that must be gone. held: not looked at while tuning."""

    shape: str
    surrounding: str
    text: str
    secrets: tuple[str, ...]
    held: bool


class Harmless(NamedTuple):
    """A text that must stay as it is."""

    kind: str
    text: str
    held: bool


def _of(rng: random.Random, alphabet: str, size: int) -> str:
    return "".join(rng.choice(alphabet) for _ in range(size))


def _uuid(rng: random.Random) -> str:
    return "-".join(_of(rng, HEX, size) for size in (8, 4, 4, 4, 12))


def _b64(rng: random.Random, size: int) -> str:
    return base64.b64encode(rng.randbytes(size)).decode()


def _jwt(rng: random.Random) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("=")
    body = base64.urlsafe_b64encode(b'{"sub":"%d"}' % rng.randrange(10**9)).decode().rstrip("=")
    return f"{head}.{body}.{_of(rng, URL, 43)}"


def _pem(rng: random.Random, kind: str, lines: int, end: str = "\n", extra: str = "") -> str:
    dashes = "-" * 5
    body = end.join(_of(rng, B64, 64) for _ in range(lines))
    return f"{dashes}BEGIN {kind}{dashes}{end}{extra}{body}{end}{_of(rng, B64, 22)}=={end}{dashes}END {kind}{dashes}"


def _marked(*parts: str, alphabet: str = WORD, size: int = 36, tail: str = "") -> Callable[[random.Random], str]:
    return lambda rng: "".join(parts) + _of(rng, alphabet, size) + tail


MARKED: dict[str, Callable[[random.Random], str]] = {
    "aws access key": _marked("AK", "IA", alphabet=UPPER, size=16),
    "aws temporary key": _marked("AS", "IA", alphabet=UPPER, size=16),
    "aws bedrock key": _marked("AB", "SK", alphabet=B64, size=128),
    "google api key": _marked("AI", "za", alphabet=URL, size=35),
    "google oauth secret": _marked("GOC", "SPX-", alphabet=URL, size=28),
    "google access token": _marked("ya", "29.", "a0", alphabet=URL, size=160),
    "google refresh token": _marked("1/", "/0", alphabet=URL, size=60),
    "firebase server key": lambda rng: "AAAA" + _of(rng, URL, 7) + ":APA" + "91b" + _of(rng, URL, 134),
    "azure client secret": lambda rng: _of(rng, WORD, 3) + "8Q" + "~" + _of(rng, WORD + "_-.~", 34),
    "azure storage key": lambda rng: _of(rng, B64, 76) + "+AS" + "t" + _of(rng, B64, 6) + "==",
    "azure search key": lambda rng: _of(rng, WORD, 52) + "JQQ" + "J99" + _of(rng, WORD, 26),
    "azure devops token": lambda rng: _of(rng, WORD, 76) + "AZ" + "DO" + _of(rng, WORD, 4),
    "github personal": _marked("gh", "p_"),
    "github oauth": _marked("gh", "o_"),
    "github user": _marked("gh", "u_"),
    "github server": _marked("gh", "s_"),
    "github refresh": _marked("gh", "r_", size=76),
    "github fine grained": lambda rng: "github" + "_pat_" + _of(rng, WORD, 22) + "_" + _of(rng, WORD, 59),
    "gitlab personal": _marked("gl", "pat-", alphabet=URL, size=20),
    "gitlab routable": lambda rng: "gl" + "pat-" + _of(rng, URL, 27) + ".01." + _of(rng, LOWER, 9),
    "gitlab deploy": _marked("gl", "dt-", alphabet=URL, size=20),
    "gitlab runner": _marked("gl", "rt-", alphabet=URL, size=20),
    "gitlab trigger": _marked("gl", "ptt-", alphabet=HEX, size=40),
    "atlassian api": lambda rng: "ATA" + "TT3" + _of(rng, URL + "=", 180) + "=" + _of(rng, UPPER, 8),
    "bitbucket access": lambda rng: "ATC" + "TT3" + _of(rng, URL + "=", 170) + "=" + _of(rng, UPPER, 8),
    "bitbucket app password": _marked("AT", "BB", size=32),
    "slack bot": lambda rng: (
        "xo" + f"xb-{rng.randrange(10**11, 10**12)}-{rng.randrange(10**12, 10**13)}-" + _of(rng, WORD, 24)
    ),
    "slack user": lambda rng: (
        "xo" + f"xp-{rng.randrange(10**11, 10**12)}-{rng.randrange(10**11, 10**12)}-" + _of(rng, HEX, 32)
    ),
    "slack app": lambda rng: "xa" + f"pp-1-A{_of(rng, UPPER, 10)}-{rng.randrange(10**12, 10**13)}-" + _of(rng, HEX, 64),
    "slack refresh": lambda rng: "xo" + "xe-1-" + _of(rng, WORD, 140),
    "discord bot": lambda rng: "M" + "T" + _of(rng, WORD, 24) + "." + _of(rng, URL, 6) + "." + _of(rng, URL, 38),
    "telegram bot": lambda rng: f"{rng.randrange(10**9, 10**10)}:" + "A" + "A" + _of(rng, URL, 33),
    "stripe live": _marked("sk", "_live_", size=99),
    "stripe short": _marked("sk", "_live_", size=24),
    "stripe test": _marked("sk", "_test_", size=24),
    "stripe restricted": _marked("rk", "_live_", size=99),
    "stripe webhook": _marked("wh", "sec_", size=32),
    "square access": _marked("sq", "0atp-", alphabet=URL, size=22),
    "square oauth": _marked("sq", "0csp-", alphabet=URL, size=43),
    "braintree": lambda rng: "access" + "_token$production$" + _of(rng, LOWER, 16) + "$" + _of(rng, HEX, 32),
    "twilio key": _marked("S", "K", alphabet=HEX, size=32),
    "sendgrid": lambda rng: "S" + "G." + _of(rng, URL, 22) + "." + _of(rng, URL, 43),
    "mailgun": _marked("ke", "y-", alphabet=HEX, size=32),
    "mailchimp": _marked("", alphabet=HEX, size=32, tail="-us" + "14"),
    "brevo": lambda rng: "xkey" + "sib-" + _of(rng, HEX, 64) + "-" + _of(rng, WORD, 16),
    "resend": lambda rng: "r" + "e_" + _of(rng, WORD, 8) + "_" + _of(rng, WORD, 24),
    "npm": _marked("np", "m_"),
    "pypi": lambda rng: "py" + "pi-AgEIcHlwaS5vcmc" + _of(rng, URL, 140),
    "rubygems": _marked("ruby", "gems_", alphabet=HEX, size=48),
    "crates": _marked("c", "io", size=32),
    "nuget": _marked("oy", "2", alphabet=LOWER, size=43),
    "docker hub": _marked("dckr", "_pat_", alphabet=URL, size=27),
    "hugging face": _marked("h", "f_", alphabet=string.ascii_letters, size=34),
    "openai old": _marked("s", "k-", size=48),
    "openai project": _marked("s", "k-proj-", alphabet=URL, size=148),
    "openai service": _marked("s", "k-svcacct-", alphabet=URL, size=120),
    "anthropic": _marked("s", "k-ant-api03-", alphabet=URL, size=93, tail="AA"),
    "openrouter": _marked("s", "k-or-v1-", alphabet=HEX, size=64),
    "deepseek": _marked("s", "k-", alphabet=HEX, size=32),
    "groq": _marked("gs", "k_", size=52),
    "perplexity": _marked("pp", "lx-", size=48),
    "replicate": _marked("r", "8_", size=37),
    "xai": _marked("xa", "i-", size=80),
    "langsmith": lambda rng: "ls" + "v2_pt_" + _of(rng, HEX, 32) + "_" + _of(rng, HEX, 10),
    "digitalocean": _marked("do", "p_v1_", alphabet=HEX, size=64),
    "fly": _marked("fm", "2_", alphabet=B64, size=180),
    "netlify": _marked("nf", "p_"),
    "vercel": _marked("vc", "p_", size=56),
    "heroku": lambda rng: "HR" + "KU-AA" + _of(rng, URL, 58),
    "cloudflare origin": lambda rng: "v1" + ".0-" + _of(rng, HEX, 24) + "-" + _of(rng, HEX, 146),
    "new relic": _marked("NR", "AK-", alphabet=UPPER, size=27),
    "new relic license": lambda rng: _of(rng, HEX, 36) + "NR" + "AL",
    "sentry": _marked("snt", "rys_", alphabet=B64, size=120),
    "grafana service": lambda rng: "gl" + "sa_" + _of(rng, WORD, 32) + "_" + _of(rng, HEX, 8),
    "grafana cloud": _marked("gl", "c_", alphabet=B64, size=100),
    "planetscale": _marked("psc", "ale_tkn_", alphabet=URL, size=43),
    "supabase": _marked("sb", "p_", alphabet=HEX, size=40),
    "databricks": _marked("da", "pi", alphabet=HEX, size=32),
    "doppler": _marked("d", "p.pt.", size=43),
    "vault": _marked("hv", "s.", alphabet=URL, size=95),
    "vault old": _marked("s", ".", size=24),
    "terraform": lambda rng: _of(rng, WORD, 14) + ".atlas" + "v1." + _of(rng, URL, 67),
    "pulumi": _marked("pu", "l-", alphabet=HEX, size=40),
    "shopify access": _marked("shp", "at_", alphabet=HEX, size=32),
    "shopify secret": _marked("shp", "ss_", alphabet=HEX, size=32),
    "linear": _marked("lin", "_api_", size=40),
    "notion": _marked("nt", "n_", size=46),
    "notion old": _marked("sec", "ret_", size=43),
    "figma": _marked("fi", "gd_", alphabet=URL, size=40),
    "airtable": lambda rng: "p" + "at" + _of(rng, WORD, 14) + "." + _of(rng, HEX, 64),
    "asana": lambda rng: f"1/{rng.randrange(10**15, 10**16)}:" + _of(rng, HEX, 32),
    "dropbox": _marked("s", "l.", alphabet=URL, size=140),
    "1password": lambda rng: "op" + "s_ey" + "J" + _of(rng, WORD, 300),
    "tailscale": lambda rng: "ts" + "key-auth-" + _of(rng, WORD, 12) + "CNTRL-" + _of(rng, WORD, 32),
    "postman": lambda rng: "PM" + "AK-" + _of(rng, HEX, 24) + "-" + _of(rng, HEX, 34),
    "hubspot": lambda rng: "pa" + "t-na1-" + _uuid(rng),
    "plaid": lambda rng: "acc" + "ess-production-" + _uuid(rng),
    "age": _marked("AGE-SEC", "RET-KEY-1", alphabet=UPPER, size=58),
    "jwt": _jwt,
    "dynatrace": lambda rng: "dt" + "0c01." + _of(rng, UPPER, 24) + "." + _of(rng, UPPER, 64),
}
"""Shapes that a mark of their own gives away: they must be found anywhere."""

AROUND: dict[str, str] = {
    "bare": "{s}",
    "prose": "I pasted {s} into the form by mistake, please forget it.",
    "sentence end": "The one from yesterday was {s}.",
    "env": "# settings\nLOG_LEVEL=debug\nSERVICE_X={s}\nPORT=8080\n",
    "json": '{{"name": "svc", "x": "{s}", "n": 3}}',
    "escaped json": '{{"type":"user","text":"first line\\n{s}\\nlast line"}}',
    "yaml": "service:\n  name: svc\n  x: {s}\n  n: 3\n",
    "python": 'client = Client("{s}", timeout=3)\n',
    "shell": "svc deploy --with '{s}' --verbose 2>&1 | tee out.log",
    "url": "curl https://api.example.org/v1/items?x={s}&limit=3",
    "markdown": "- the value is `{s}`\n- and **{s}**\n",
    "own line": "before\n{s}\nafter\n",
    "numbered": "    12\tfoo\n    13\tx: {s}\n    14\tbar",
    "diff": "-x = old\n+x = {s}\n",
    "colour": "\x1b[32m{s}\x1b[0m done",
}


def _password(rng: random.Random) -> str:
    return rng.choice(string.ascii_letters) + _of(rng, WORD + "!#%^*-_+?", 14) + rng.choice(string.digits) + "k"


KEYED: dict[str, tuple[str, str, Callable[[random.Random], str]]] = {
    "aws secret": ("AWS_SECRET_ACCESS_KEY", "AWS secret access key", lambda rng: _of(rng, B64, 40)),
    "aws session": ("AWS_SESSION_TOKEN", "AWS session token", lambda rng: _of(rng, B64, 300) + "=="),
    "datadog api": ("DD_API_KEY", "Datadog API key", lambda rng: _of(rng, HEX, 32)),
    "datadog app": ("DD_APP_KEY", "Datadog app key", lambda rng: _of(rng, HEX, 40)),
    "twilio auth": ("TWILIO_AUTH_TOKEN", "Twilio auth token", lambda rng: _of(rng, HEX, 32)),
    "cloudflare api": ("CLOUDFLARE_API_TOKEN", "Cloudflare API token", lambda rng: _of(rng, URL, 40)),
    "heroku key": ("HEROKU_API_KEY", "Heroku API key", _uuid),
    "postmark": ("POSTMARK_SERVER_TOKEN", "Postmark server token", _uuid),
    "mistral": ("MISTRAL_API_KEY", "Mistral API key", lambda rng: _of(rng, WORD, 32)),
    "cohere": ("COHERE_API_KEY", "Cohere API key", lambda rng: _of(rng, WORD, 40)),
    "linode": ("LINODE_TOKEN", "Linode token", lambda rng: _of(rng, HEX, 64)),
    "okta": ("OKTA_API_TOKEN", "Okta API token", lambda rng: "00" + _of(rng, URL, 40)),
    "paypal": ("PAYPAL_CLIENT_SECRET", "PayPal client secret", lambda rng: "E" + _of(rng, URL, 79)),
    "ngrok": ("NGROK_AUTHTOKEN", "ngrok authtoken", lambda rng: "2" + _of(rng, WORD, 26) + "_" + _of(rng, WORD, 21)),
    "wandb": ("WANDB_API_KEY", "Weights & Biases API key", lambda rng: _of(rng, HEX, 40)),
    "algolia": ("ALGOLIA_ADMIN_KEY", "Algolia admin key", lambda rng: _of(rng, HEX, 32)),
    "django": ("DJANGO_SECRET_KEY", "Django secret key", lambda rng: _of(rng, LOWER + "!@#$%^&*(-_=+)", 49) + "q"),
    "jwt secret": ("JWT_SECRET", "JWT secret", lambda rng: _of(rng, WORD, 32)),
    "encryption key": ("ENCRYPTION_KEY", "encryption key", lambda rng: _b64(rng, 32)),
    "wireguard": ("WG_PRIVATE_KEY", "WireGuard private key", lambda rng: _b64(rng, 32)),
    "password": ("DB_PASSWORD", "database password", _password),
    "admin password": ("ADMIN_PASSWORD", "admin password", _password),
    "passphrase": ("GPG_PASSPHRASE", "passphrase", _password),
    "smtp pass": ("SMTP_PASS", "SMTP password", _password),
    "github pat": ("GITHUB_PAT", "GitHub token", lambda rng: _of(rng, HEX, 40)),
    "webhook secret": ("WEBHOOK_SECRET", "webhook secret", lambda rng: _of(rng, HEX, 40)),
    "vendor key": ("ACME_KEY", "Acme API key", lambda rng: _of(rng, WORD, 32)),
}
"""Shapes without a mark: (name in settings, name in prose, value)."""

BESIDE: dict[str, str] = {
    "env": "# settings\nLOG_LEVEL=debug\n{k}={s}\nPORT=8080\n",
    "quoted env": 'export {k}="{s}"\n',
    "single quotes": "{k}='{s}'\n",
    "json": '{{"name": "svc", "{k}": "{s}", "n": 3}}',
    "escaped json": '{{"text":"cat .env\\n{k}=\\"{s}\\"\\nPORT=1"}}',
    "yaml": "service:\n  {l}: '{s}'\n  n: 3\n",
    "toml": '[svc]\n{l} = "{s}"\nn = 3\n',
    "python": 'client = Client({l}="{s}", timeout=3)\n',
    "environ": 'os.environ["{k}"] = "{s}"\n',
    "annotated": '{l}: str = "{s}"\n',
    "javascript": 'const {c} = "{s}";\n',
    "object": "{{ {c}: '{s}', n: 3 }}",
    "option": "svc deploy --{d}='{s}' --verbose",
    "option blank": 'svc deploy --{d} "{s}" --verbose',
    "docker": "docker run -e '{k}={s}' image",
    "kubernetes env": "  env:\n    - name: {k}\n      value: '{s}'\n",
    "prose": "The {p} is `{s}`, keep it.",
    "prose colon": "{p}: {s}",
    "markdown": "- **{p}**: `{s}`\n",
    "next line": "{p}:\n    {s}\n",
    "xml": "<{c}>{x}</{c}>",
    "diff": "+{k}={s}\n",
    "numbered": "     3→{k}={s}\n     4→PORT=1",
}

PLACED: dict[str, tuple[Callable[[random.Random], str], tuple[str, ...]]] = {
    "url password": (
        lambda rng: _of(rng, WORD, 14),
        (
            "postgres://app:{s}@db.internal:5432/main",
            "DATABASE_URL=mysql://root:{s}@127.0.0.1/x",
            '"url": "mongodb+srv://svc:{s}@cluster0.abcde.mongodb.net/test"',
            "redis://:{s}@cache:6379/0",
            "git clone https://bob:{s}@git.example.org/x.git",
            "pip install --index-url https://u:{s}@pypi.internal/simple pkg",
            "amqp://guest1:{s}@mq//",
            "proxy is http://corp:{s}@proxy:3128, use it",
        ),
    ),
    "authorization": (
        lambda rng: _of(rng, WORD, 40),
        (
            "Authorization: Bearer {s}",
            "curl -H 'Authorization: Bearer {s}' https://x.example.org",
            '{{"headers": {{"Authorization": "Bearer {s}"}}}}',
            'headers={{"Authorization": f"token {s}"}}',
            "authorization: token {s}\nAccept: */*",
            '-H \\"Authorization: Bearer {s}\\"',
            "Proxy-Authorization: Bearer {s}",
        ),
    ),
    "api header": (
        lambda rng: _of(rng, HEX, 32),
        (
            "X-Api-Key: {s}",
            "curl -H 'x-api-key: {s}' https://x.example.org",
            "X-Auth-Token: {s}",
            "headers = {{'X-Auth-Key': '{s}'}}",
            "X-Vault-Token: {s}",
            "api-key: {s}",
        ),
    ),
    "basic": (
        lambda rng: base64.b64encode(f"user:{_of(rng, WORD, 12)}".encode()).decode(),
        (
            "Authorization: Basic {s}",
            "curl -H 'Authorization: Basic {s}' https://x.example.org",
            '{{"auths": {{"registry.example.org": {{"auth": "{s}"}}}}}}',
            "//npm.internal/:_auth={s}",
        ),
    ),
    "cookie": (
        lambda rng: _of(rng, LOWER, 32),
        (
            "Cookie: theme=dark; sessionid={s}",
            "Set-Cookie: sid={s}; Path=/; HttpOnly",
            "curl -b x -H 'Cookie: csrftoken={s}; lang=de' http://localhost",
            '"cookie": "connect.sid={s}"',
        ),
    ),
    "curl user": (
        lambda rng: _of(rng, WORD, 12),
        (
            "curl -u admin:{s} https://x.example.org/api",
            "curl -s -X POST --user 'svc:{s}' https://x.example.org",
            'curl -fsSLu "me:{s}" https://x.example.org',
        ),
    ),
    "password option": (
        lambda rng: _of(rng, WORD, 12),
        (
            "mysql -u root -p{s} main",
            "mysqldump --user=root -p'{s}' main > x.sql",
            "sshpass -p {s} ssh me@host",
            "docker login -u me -p {s} registry.example.org",
            "svc --password {s} --user me",
            "wget --http-password={s} http://x.example.org",
            "PGPASSWORD={s} psql -h db",
            "openssl rsa -in k.pem -passin pass:{s}",
        ),
    ),
    "sql": (
        lambda rng: _of(rng, WORD, 12),
        (
            "CREATE USER app WITH PASSWORD '{s}';",
            "CREATE USER 'app'@'%' IDENTIFIED BY '{s}';",
            "ALTER ROLE app PASSWORD '{s}'",
        ),
    ),
    "files": (
        lambda rng: _of(rng, WORD, 14),
        (
            "machine api.example.org login me password {s}",
            "machine api.example.org\n  login me\n  password {s}\n",
            "db.internal:5432:main:app:{s}",
            "localhost:*:main:app:{s}",
            "<server><username>me</username><password>{s}</password></server>",
            "spring.datasource.password={s}",
            "//registry.npmjs.org/:_authToken={s}{s}",
            '<add key="ApiKey" value="{s}{s}" />',
        ),
    ),
    "connection string": (
        lambda rng: _of(rng, WORD, 16),
        (
            "Server=tcp:x.database.windows.net;Database=m;User Id=a;Password={s};Encrypt=true",
            '"Default": "Host=db;Username=app;Password={s};Database=main"',
            "DefaultEndpointsProtocol=https;AccountName=x;AccountKey={s}{s}{s}==;EndpointSuffix=core.windows.net",
            "Endpoint=sb://x.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey={s}{s}=",
            "jdbc:postgresql://db/main?user=app&password={s}",
            "jdbc:oracle:thin:app/{s}@db:1521/x",
        ),
    ),
    "signed url": (
        lambda rng: _of(rng, WORD, 43),
        (
            "https://x.blob.core.windows.net/c/f?sv=2022-11-02&se=2026-01-01&sr=b&sp=r&sig={s}%3D",
            "see https://x.blob.core.windows.net/c?sp=r&sig={s}%3D&sv=2022",
            '"sas": "?sv=2022-11-02&sig={s}%3D"',
        ),
    ),
    "webhook": (
        lambda rng: _of(rng, WORD, 24),
        (
            "https://hooks." + "slack.com/services/T0" + "A1B2C3D/B0" + "A1B2C3D/{s}",
            "curl -X POST https://discord.com/api/" + "webhooks/123456789012345678/{s}{s}{s}",
            '"hook": "https://hooks.' + 'slack.com/services/T0A1B2C3D/B0A1B2C3D/{s}"',
        ),
    ),
    "kubernetes secret": (
        lambda rng: base64.b64encode(_of(rng, WORD, 15).encode()).decode(),
        (
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: x\ndata:\n  PW: {s}\n  other: {s}\n",
            "apiVersion: v1\ndata:\n  tls.key: {s}\nkind: Secret\nmetadata:\n  name: x\ntype: Opaque\n",
            "---\nkind: Secret\nstringData:\n  plain: {s}\n---\nkind: Pod\n",
        ),
    ),
    "aws pair": (
        lambda rng: _of(rng, B64, 40),
        (
            "Access key ID,Secret access key\nAK" + "IA5T2QXW7RHLPM4KZC,{s}\n",
            "AK" + "IA5T2QXW7RHLPM4KZC {s}",
            'keys: AK' + 'IA5T2QXW7RHLPM4KZC / {s}',
        ),
    ),
}  # fmt: skip
"""Secrets that their place gives away: (value, templates)."""

PRIVATE = (
    "before <private>{s}</private> after",
    "before <PRIVATE>{s}</Private> after",
    "before < private >{s}</ private > after",
    '<private reason="mine">{s}</private>',
    "<private>a <private>{s}</private> {s}</private> after",
    "before <private>\nline\n{s}\n",
    "`<private>{s}</private>`",
    "<private>\n\n{s}",
)


def _lines(rng: random.Random, size: int = 48) -> str:
    return _of(rng, B64, size)


def _keys(rng: random.Random) -> Iterator[tuple[str, str]]:
    for kind in ("RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY", "PRIVATE KEY", "ENCRYPTED PRIVATE KEY",
                 "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK"):  # fmt: skip
        yield kind, _pem(rng, kind, 8)
    yield (
        "PEM with headers",
        _pem(rng, "RSA PRIVATE KEY", 4, extra="Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,A1\n\n"),
    )
    yield "PEM in JSON", '{"type": "service_account", "private_key": "' + _pem(rng, "PRIVATE KEY", 8, "\\n") + '\\n"}'
    yield "PEM in env", 'KEY="' + _pem(rng, "PRIVATE KEY", 8, "\\n") + '"'
    yield "PEM twice escaped", _pem(rng, "PRIVATE KEY", 8, "\\\\n")
    yield "PEM truncated", _pem(rng, "RSA PRIVATE KEY", 8)[:300]
    yield "PEM unclosed", "cat key\n" + _pem(rng, "RSA PRIVATE KEY", 8).partition("-----END")[0]
    yield "PEM in CRLF", _pem(rng, "PRIVATE KEY", 8, "\r\n")
    yield "PEM indented", "key: |\n  " + _pem(rng, "PRIVATE KEY", 8, "\n  ")
    yield "PEM quoted", "> " + _pem(rng, "PRIVATE KEY", 8, "\n> ")
    yield "PEM in a diff", "+" + _pem(rng, "PRIVATE KEY", 8, "\n+")
    yield "PEM on one line", _pem(rng, "PRIVATE KEY", 8, " ")
    numbered = _pem(rng, "PRIVATE KEY", 8).splitlines()
    yield "PEM numbered", "\n".join(f"{number:6}→{line}" for number, line in enumerate(numbered, 1))
    yield "PuTTY", (
        "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: me\nPublic-Lines: 1\nAAAAC3\nPrivate-Lines: 2\n"
        + _lines(rng, 64) + "\n" + _lines(rng, 23) + "=\nPrivate-MAC: 00\n"
    )  # fmt: skip


def _outputs(rng: random.Random) -> Iterator[tuple[str, str, list[str]]]:
    """(surrounding, text, secrets) of what tools print."""
    alphabets = {"base64": B64, "url": URL, "word": WORD, "low": LOWER, "base32": string.ascii_uppercase + "234567"}
    printed = [(shape, template, WORD, 14) for shape, template in secret_output_corpus.PASSWORDS]
    printed += [(shape, template, HEX, 40) for shape, template in secret_output_corpus.HEXES]
    printed += [(shape, text, alphabets[name], size) for shape, text, name, size in secret_output_corpus.OTHERS]
    for shape, template, alphabet, size in printed:
        secret = _of(rng, alphabet, size - 4) + ("kQ7m" if alphabet == WORD else _of(rng, alphabet, 4))
        yield shape, template.format(s=secret), [secret]
    for shape, prefix in secret_output_corpus.PREFIXES:
        body = [_of(rng, B64, 70) for _ in range(6)] + [_of(rng, B64, 22) + "=="]
        lines = [secret_output_corpus.BEGIN, *body, secret_output_corpus.END]
        text = "\n".join(prefix.format(n=number) + line for number, line in enumerate(lines, 1))
        yield shape, f"it printed\n{text}\nand ended", body


def leaks(seed: int = SEED) -> list[Leak]:
    """Every secret in every surrounding that fits it."""
    rng = random.Random(seed)  # noqa: S311 - made up, and the same each time
    found: list[Leak] = []

    def add(shape: str, surrounding: str, text: str, *secrets: str) -> None:
        found.append(Leak(shape, surrounding, text, secrets, len(found) % 3 == 2))

    for shape, make in MARKED.items():
        for surrounding, template in AROUND.items():
            secret = make(rng)
            add(shape, surrounding, template.format(s=secret), _heart(secret))
    for shape, (key, prose, make) in KEYED.items():
        for surrounding, template in BESIDE.items():
            secret = make(rng)
            low = key.lower()
            camel = low.split("_")[0] + "".join(word.title() for word in low.split("_")[1:])
            text = template.format(k=key, l=low, d=low.replace("_", "-"), c=camel, p=prose, s=secret,
                                   x=secret.replace("&", "+").replace("<", "+"))  # fmt: skip
            add(shape, surrounding, text, secret)
    for shape, (make, templates) in PLACED.items():
        for number, template in enumerate(templates):
            secret = make(rng)
            add(shape, str(number), template.format(s=secret), secret)
    for shape, text, secrets in _outputs(rng):
        add("printed", shape, text, *secrets)
    for template in PRIVATE:
        secret = f"{_of(rng, string.ascii_lowercase, 9)} {_of(rng, string.ascii_lowercase, 7)}"
        add("private passage", template[:20], template.format(s=secret), secret)
    for shape, text in _keys(rng):
        lines = [line for line in secret_lookalikes.PARTS.split(text) if len(line) >= 20]
        add(shape, "alone", text, *lines)
        add(shape, "within", f"Here it is:\n{text}\nThat was the file.", *lines)
    return found


def _heart(secret: str) -> str:
    """The middle of a token: some marks may stay readable beside the placeholder."""
    return secret[len(secret) // 3 : len(secret) - 4]


def harmless(seed: int = SEED) -> list[Harmless]:
    """Look-alikes of every kind."""
    rng = random.Random(seed)  # noqa: S311 - made up, and the same each time
    texts = [*secret_lookalikes.texts(rng), *(("printed", text) for text in secret_output_corpus.lookalikes())]
    return [Harmless(kind, text, number % 3 == 2) for number, (kind, text) in enumerate(texts)]
