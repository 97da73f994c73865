"""The table of what a secret looks like: tokens with a mark of their own, and places where a secret stands.

Formats are those that the providers document. Nothing is compiled here: this module is data, and costs its import only.
"""

from __future__ import annotations

_W = "[0-9A-Za-z]"
_U = "[0-9A-Za-z_-]"
_X = "[0-9a-f]"
_B = "[0-9A-Za-z+/]"
_PORT = r"(?!(?:[\d.]{0,15}:)?\d{1,5}(?::\d{1,5})?(?:/(?:tcp|udp))?(?![^\s\"'`;|\\]))"  # no port
_OPEN = r"[\\]{0,3}[\"']?"
_ARGUMENT = r"\s{0,4}[rbfu]?\\{0,3}[\"']"
_BARE = r"([^\s\"'`;|\\]{3,200})"
_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

TOKENS: tuple[tuple[str, str, str, int], ...] = (
    # Artificial intelligence. The marks of one provider that begin with another's stand first.
    ("anthropic-key", "sk-ant-", rf"{_U}{{20,}}", 0),
    ("openrouter-key", "sk-or-", rf"{_U}{{20,}}", 0),
    ("openai-key", "sk-", rf"{_U}{{20,}}", 0),
    ("openai-key", "sess-", rf"{_W}{{40}}", 0),
    ("groq-key", "gsk_", rf"{_W}{{40,}}", 0),
    ("perplexity-key", "pplx-", rf"{_W}{{40,}}", 0),
    ("replicate-token", "r8_", rf"{_W}{{37}}", 0),
    ("xai-key", "xai-", rf"{_W}{{60,}}", 0),
    ("nvidia-key", "nvapi-", rf"{_U}{{40,}}", 0),
    ("together-key", "tgp_v1_", rf"{_U}{{40,}}", 0),
    ("cerebras-key", "csk-", rf"{_W}{{40,}}", 0),
    ("fireworks-key", "fw_", rf"{_W}{{22,}}", 0),
    ("langsmith-key", "lsv2_", rf"(?:pt|sk)_{_X}{{32}}_{_X}{{10}}", 0),
    ("tavily-key", "tvly-", rf"{_U}{{20,}}", 0),
    ("jina-key", "jina_", rf"{_U}{{40,}}", 0),
    ("pinecone-key", "pcsk_", r"\w{40,}", 0),
    ("elevenlabs-key", "sk_", rf"{_X}{{48}}", 0),
    ("huggingface-token", "hf_", rf"{_W}{{30,}}", 0),
    ("huggingface-token", "api_org_", rf"{_W}{{30,}}", 0),
    # Clouds and hosting.
    ("aws-access-key", "AKIA", "[A-Z0-9]{16}", 0),
    ("aws-access-key", "ASIA", "[A-Z0-9]{16}", 0),
    ("aws-access-key", "ABIA", "[A-Z0-9]{16}", 0),
    ("aws-access-key", "ACCA", "[A-Z0-9]{16}", 0),
    ("aws-secret-key", "AKIA", rf"[A-Z0-9]{{16}}[\s,;:|\"'/]{{1,6}}({_B}{{40}})", 0),
    ("aws-secret-key", "ASIA", rf"[A-Z0-9]{{16}}[\s,;:|\"'/]{{1,6}}({_B}{{40}})", 0),
    ("aws-bedrock-key", "ABSK", rf"{_B}{{80,}}={{0,2}}", 0),
    ("google-api-key", "AIza", rf"{_U}{{35}}", 0),
    ("google-oauth-secret", "GOCSPX-", rf"{_U}{{24,}}", 0),
    ("google-oauth-token", "ya29.", rf"{_U}{{20,}}", 0),
    ("google-oauth-token", "1//0", rf"{_U}{{40,}}", 0),
    ("firebase-key", ":APA91b", rf"{_U}{{100,}}", 11),
    ("azure-client-secret", "Q~", r"(?<=[\w.~-]{3}[0-9]Q~)[\w.~-]{31,34}", 4),
    ("azure-key", "JQQJ99", rf"(?<={_W}{{52}}JQQJ99){_W}{{26}}", 52),
    ("azure-devops-token", "AZDO", rf"(?<={_W}{{76}}AZDO){_W}{{4}}", 76),
    ("azure-key", "+ASt", rf"(?<={_B}{{76}}\+ASt){_B}{{6}}==", 76),
    ("alibaba-key", "LTAI", rf"{_W}{{12,24}}", 0),
    ("tencent-key", "AKID", rf"{_W}{{32}}", 0),
    ("digitalocean-token", "_v1_", rf"(?<=do[opr]_v1_){_X}{{64}}", 3),
    ("fly-token", "fm2_", rf"{_B}{{40,}}={{0,2}}", 0),
    ("fly-token", "fm1", rf"[ar]_{_B}{{40,}}={{0,2}}", 0),
    ("fly-token", "fo1_", rf"{_U}{{40,}}", 0),
    ("vercel-token", "vc", rf"[paickr]{{1,2}}_{_W}{{24,}}", 0),
    ("netlify-token", "nf", rf"[pcoub]_{_W}{{36,}}", 0),
    ("heroku-key", "HRKU-", rf"(?:{_UUID}|AA{_U}{{40,}})", 0),
    ("cloudflare-token", "cf", rf"(?:ut|at|k)_{_W}{{40,}}", 0),
    ("cloudflare-origin-key", "v1.0-", rf"{_X}{{24}}-{_X}{{100,}}", 0),
    ("render-key", "rnd_", rf"{_W}{{28,}}", 0),
    ("mapbox-token", "sk.eyJ", rf"{_U}{{20,}}\.{_U}{{10,}}", 0),
    # Code, packages, builds.
    ("github-token", "ghp_", rf"{_W}{{30,}}", 0),
    ("github-token", "gho_", rf"{_W}{{30,}}", 0),
    ("github-token", "ghu_", rf"{_W}{{30,}}", 0),
    ("github-token", "ghs_", r"[\w.-]{30,}", 0),
    ("github-token", "ghr_", rf"{_W}{{30,}}", 0),
    ("github-token", "github_pat_", r"\w{40,}", 0),
    ("gitlab-token", "gl",
     rf"(?:pat|dt|rt|rtr|cbt|ptt|ft|imt|agent|oas|soat|ffct|wt)-{_U}{{20,}}(?:\.{_W}{{2}}\.{_W}{{9}})?",
     0),
    ("gitlab-token", "GR1348941", rf"{_U}{{20}}", 0),
    ("atlassian-token", "ATATT3", r"[\w=+/-]{20,}", 0),
    ("atlassian-token", "ATCTT3", r"[\w=+/-]{20,}", 0),
    ("bitbucket-token", "ATBB", r"[\w=]{24,}", 0),
    ("bitbucket-token", "BBDC-", r"[\w@+/-]{40,}", 0),
    ("npm-token", "npm_", rf"{_W}{{36}}", 0),
    ("pypi-token", "pypi-", rf"{_U}{{50,}}", 0),
    ("rubygems-key", "rubygems_", rf"{_X}{{48}}", 0),
    ("crates-token", "cio", rf"{_W}{{32}}", 0),
    ("nuget-key", "oy2", "[0-9a-z]{43}", 0),
    ("clojars-token", "CLOJARS_", "[0-9a-z]{60}", 0),
    ("docker-token", "dckr_", rf"[po]at_{_U}{{20,}}", 0),
    ("jfrog-token", "AKCp", rf"{_W}{{60,}}", 0),
    ("jfrog-token", "cmVmdGtuO", r"[\w+/=]{40,}", 0),
    ("sonar-token", "sq", rf"[pua]_{_X}{{40}}", 0),
    ("circleci-token", "CCI", rf"(?:PAT|PRJ)_{_W}{{20,}}_{_X}{{40}}", 0),
    ("buildkite-token", "bk", rf"(?:ua|ct|pt)_{_W}{{40,}}", 0),
    ("postman-key", "PMAK-", rf"{_X}{{24}}-{_X}{{34}}", 0),
    ("sourcegraph-token", "sgp_", r"\w{40,}", 0),
    ("terraform-token", ".atlasv1.", r"(?<=[0-9A-Za-z]{14}\.atlasv1\.)[\w=-]{60,}", 14),
    ("pulumi-token", "pul-", rf"{_X}{{40}}", 0),
    ("doppler-token", "dp.", r"(?:pt|st|sa|ct|scim|audit|said)\.[\w.-]{40,}", 0),
    ("vault-token", "hv", r"[sbr]\.[\w-]{24,}", 0),
    ("vault-token", "s.", rf"{_W}{{24}}", 0),
    ("mongodb-secret", "mdb_sa_sk_", rf"{_U}{{40}}", 0),
    (
        "private-key",
        "LS0tLS1CRUdJTi",
        r"B(?:SU0EgUFJJ|QUklWQVRF|FQyBQUklW|PUEVOU1NI|FTkNSWVBU|EU0EgUFJJ)[\w+/=]{20,}",
        0,
    ),
    ("1password-token", "ops_", r"eyJ[\w+/=-]{60,}", 0),
    ("1password-key", "A3-", r"[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}", 0),
    ("age-key", "AGE-SECRET-KEY-", r"(?:PQ-)?1[0-9A-Z]{58,}", 0),
    # Messages.
    ("slack-token", "xox", r"[a-e]?[abcdeoprs](?:\.xox[bp])?-[\w%./+=-]{10,}", 0),
    ("slack-token", "xapp-", rf"{_U}{{20,}}", 0),
    ("slack-webhook", "hooks.slack.com/", r"(?:services|workflows|triggers)/([\w/+-]{20,})", 0),
    ("discord-webhook", "/api/webhooks/", r"[0-9]{15,20}/([\w-]{50,})", 0),
    ("teams-webhook", ".webhook.office.com/", r"webhookb2/([\w@/-]{60,})", 0),
    ("telegram-token", ":AA", r"(?<=[0-9]{8}:AA)[\w-]{33}", -1),
    ("twilio-key", "SK", rf"{_X}{{32}}", 0),
    ("sendgrid-key", "SG.", rf"{_U}{{16,32}}\.{_U}{{30,64}}", 0),
    ("mailgun-key", "key-", rf"{_X}{{32}}", 0),
    ("mailchimp-key", "-us", rf"(?<={_X}{{32}}-us)[0-9]{{1,2}}", 32),
    ("brevo-key", "sib-", rf"(?<=x(?:key|mtp)sib-){_X}{{64}}-{_W}{{16}}", 4),
    ("brevo-key", "xsmtpsib-", rf"{_X}{{64}}-{_W}{{16}}", 0),
    ("resend-key", "re_", rf"{_W}{{8}}_{_W}{{20,}}", 0),
    *(
        ("discord-token", mark, rf"{_U}{{21,26}}\.{_U}{{6}}\.{_U}{{27,40}}", 0)
        for mark in "MT Mj Mz ND NT Nj Nz OD OT".split()
    ),
    # Money.
    ("stripe-key", "sk_", rf"(?:live|test)_{_W}{{16,}}", 0),
    ("stripe-key", "rk_", rf"(?:live|test)_{_W}{{16,}}", 0),
    ("stripe-key", "whsec_", r"[\w+/=]{20,}", 0),
    ("square-token", "sq0", rf"(?:atp|csp|idp)-{_U}{{22,}}", 0),
    ("square-token", "EAAA", rf"{_U}{{60}}", 0),
    ("braintree-token", "access_token$", rf"(?:production|sandbox)\$[0-9a-z]{{16}}\${_X}{{32}}", 0),
    ("plaid-token", "access-", rf"(?:production|sandbox|development)-{_UUID}", 0),
    ("shopify-token", "shp", r"(?:at|ss|ca|pa|ua|it|tka)_[0-9A-Fa-f]{32}", 0),
    ("razorpay-key", "rzp_", rf"(?:live|test)_{_W}{{14,}}", 0),
    ("flutterwave-key", "FLWSECK", rf"(?:_TEST)?-{_W}{{12,}}(?:-X)?", 0),
    ("easypost-key", "EZ", rf"[AT]K{_W}{{54}}", 0),
    # Watching, data, work.
    ("newrelic-key", "NRAK-", "[A-Z0-9]{27}", 0),
    ("newrelic-key", "NRII-", rf"{_U}{{32}}", 0),
    ("newrelic-key", "NRAL", rf"(?<={_X}{{36}}NRAL)(?!{_W})", 36),
    ("sentry-token", "sntry", r"[sua]_[\w+/=-]{40,}", 0),
    ("grafana-token", "glsa_", rf"{_W}{{32}}_{_X}{{8}}", 0),
    ("grafana-token", "glc_", rf"{_B}{{32,}}={{0,2}}", 0),
    ("grafana-token", "eyJrIjoi", rf"{_B}{{50,}}={{0,2}}", 0),
    ("dynatrace-token", "dt0", r"[a-z][0-9]{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64}", 0),
    ("honeycomb-key", "hc", rf"[abx][il]k_{_W}{{50,}}", 0),
    ("posthog-key", "phx_", rf"{_W}{{40,}}", 0),
    ("planetscale-token", "pscale_", r"(?:tkn|pw|oauth)_[\w.=-]{32,}", 0),
    ("supabase-token", "sbp_", rf"(?:v0_)?{_X}{{40}}", 0),
    ("supabase-token", "sb_secret_", rf"{_U}{{20,}}", 0),
    ("databricks-token", "dapi", rf"{_X}{{32}}(?:-[0-9])?", 0),
    ("linear-token", "lin_", rf"(?:api|oauth|wh)_{_W}{{32,}}", 0),
    ("notion-token", "ntn_", rf"{_W}{{40,}}", 0),
    ("notion-token", "secret_", rf"{_W}{{43}}", 0),
    ("figma-token", "fig", rf"[doruh]_{_U}{{40,}}", 0),
    ("airtable-token", "pat", rf"{_W}{{14}}\.{_X}{{64}}", 0),
    ("hubspot-token", "pat-", rf"(?:na|eu|ap)[0-9]-{_UUID}", 0),
    ("asana-token", "1/", rf"[0-9]{{10,20}}(?:/[0-9]{{10,20}})?:{_X}{{32}}", 0),
    ("asana-token", "2/", rf"[0-9]{{10,20}}(?:/[0-9]{{10,20}})?:{_X}{{32}}", 0),
    ("asana-token", "0/", rf"{_X}{{32}}", 0),
    ("dropbox-token", "sl.", r"(?:[uB]\.)?[\w-]{60,}", 0),
    ("tailscale-key", "tskey-", rf"(?:[a-z]+-)?{_U}{{16,}}", 0),
    ("contentful-token", "CFPAT-", rf"{_U}{{43}}", 0),
    ("typeform-token", "tfp_", rf"{_U}{{40,}}", 0),
    ("adafruit-key", "aio_", rf"{_W}{{28}}", 0),
    ("facebook-token", "EAA", rf"{_W}{{90,}}", 0),
    ("intercom-token", "dG9rO", r"[\w+/=]{50,}", 0),
    ("jwt", "eyJ", rf"(?<![_-]eyJ){_U}{{8,}}\.{_U}{{8,}}(?:\.{_U}*){{1,3}}", 0),
)  # fmt: skip
"""(id, literal, pattern of what follows it, characters before the literal that belong to the secret).

Literals are exact: a provider's mark has one spelling. The pattern is tried where the literal stands, and nowhere else;
its first group is the secret where it has one, else all from the literal's start. A token begins and ends at a boundary
(redact.py looks), is longer than 15 characters and has a digit or a capital (the prefilter counts on both).
"""

PLACES: tuple[tuple[str, str, str, str, str], ...] = (
    ("url-password", "://", "@", r"[^\s/@:\"'<>\\]{0,200}:([^\s/\"'<>\\]{1,200})@(?=[\w\[.$%{*-])(?!sha256:)", "word"),
    (
        "url-password",
        "://",
        "@",
        (
            r"(?:(?<=sql://)|(?<=sql2://)|(?<=gres://)|(?<=ongodb://)|(?<=\+srv://)|(?<=redis://)|(?<=rediss://)|(?<=amqp://)"
            r"|(?<=amqps://))[^\s/@:\"'<>\\]{0,200}:(?!\d{1,5}/)((?:(?!://)[^\s\"'<>\\?]){1,200})@(?=[\w\[.-])"
        ),
        "word",
    ),
    (
        "url-token",
        "://",
        "@",
        r"([\w-]{16,200})(?::(?:x-oauth-basic)?)?@(?![\w.-]{0,60}\bsentry\b)(?=[\w.-]{1,100}[./:])",
        "token",
    ),
    (
        "authorization",
        "authorization",
        "long",
        (
            r"[\\\"'`\]]{0,6}\s{0,4}(?:[:=,]|=>)\s{0,4}[\\]{0,3}[fbr]?[\"'`]?"
            r"(?:(?:bearer|basic|token|api-?key|ssws|splunk|key|bot|digest|negotiate|geniekey)[ :]+)?"
            r"([^\s\"'`\\,;<>]{8,4000})"
        ),
        "header",
    ),
    ("authorization", "bearer", "long", r"[ :=]{1,3}([\w.~+/=-]{16,4000})", "token"),
    ("basic-auth", "basic", "long", r"[ :=]{1,3}([0-9A-Za-z+/]{8,400}={0,2})", "base64 pair"),
    (
        "basic-auth",
        "auth",
        "long",
        r"[\\]{0,3}\"?\s{0,8}[:=]\s{0,8}[\\]{0,3}\"?([0-9A-Za-z+/]{8,400}={0,2})",
        "base64 pair",
    ),
    (
        "curl-user",
        "curl",
        " -",
        (
            r"\b(?:(?!curl)[^\n]){0,400}?\s(?:(?-i:-[a-zA-Z]{0,5}u)|--(?:proxy-)?user)[ =]?\s{0,2}\\{0,3}[\"']?"
            r"[^\s:\"'\\]{1,100}:([^\s\"'`\\]{1,200})"
        ),
        "word",
    ),
    *(
        (
            "password-option",
            word,
            " -p",
            rf"[a-z-]{{0,8}}\b[^\n|;`]{{0,300}}?\s(?-i:-p){_OPEN}{_PORT}([^\s\"'`;|\\]{{4,200}})",
            "word",
        )
        for word in ("mysql", "mariadb")
    ),
    ("password-option", "sshpass", "pass", r"\s{1,4}(?-i:-p)\s{0,2}[\\]{0,3}[\"']?([^\s\"'`\\]{3,200})", "word"),
    (
        "password-option",
        "login",
        " -p",
        r"\b[^\n|;`]{0,200}?\s(?-i:-p|--password)[ =][\\]{0,3}[\"']?([^\s\"'`\\]{4,200})",
        "word",
    ),
    (
        "password-option",
        "pass:",
        "pass",
        r"(?:(?<=-pass pass:)|(?<=-passin pass:)|(?<=-passout pass:))([^\s\"'`\\]{1,200})",
        "word",
    ),
    ("sql-password", "identified by", "", r"(?:\s{1,3}password)?\s{0,3}[\\]{0,3}[\"']([^\"'\n\\]{1,200})", "word"),
    ("sql-password", "password", "pass", r"\s{1,3}[\\]{0,3}'([^'\n\\]{4,200})'", "password"),
    (
        "netrc-password",
        "login",
        "pass",
        r"\s{1,4}[^\s\"'=:]{1,100}\s{1,8}password\s{1,4}([^\s\"'`\\]{3,200})",
        "password",
    ),
    ("pgpass", ":*:", "long", r"[^\s:]{1,64}:[^\s:]{1,64}:([^\s\"'`\\]{3,200})", "word"),
    ("oracle-password", "thin:", "@", r"\w{1,64}/([^\s@\"'\\/]{3,200})@", "word"),
    ("azure-sas", "sig=", "long", r"([0-9A-Za-z%+/]{40,200}(?:%3d|=){0,2})", "token"),
    *(
        ("password-option", word, f" {flag}", rf"\b[^\n|;&`]{{0,120}}?\s(?-i:{flag})\s{{1,2}}{_OPEN}{_BARE}", "word")
        for word, flag in (("redis-cli", "-a"), ("useradd", "-p"), ("openssl enc", "-k"))
    ),
    (
        "password-option",
        "mongo",
        " -p",
        (
            r"(?:sh|dump|restore|export|import)?\b(?=[^\n|;&`]{0,120}?\s(?:-u|--username)[ =])"
            rf"[^\n|;&`]{{0,160}}?\s(?-i:-p)\s{{0,2}}{_OPEN}{_PORT}{_BARE}"
        ),
        "word",
    ),
    *(
        ("password-option", word, "pass", rf"[ \t]{{1,4}}{_OPEN}{_BARE}", "password")
        for word in ("storepass", "keypass", "requirepass")
    ),
    (
        "password-option",
        "htpasswd",
        "passwd",
        (
            r"\s{1,4}(?-i:-[A-Za-z]{0,6}b[A-Za-z]{0,6})(?:\s{1,2}-\S{1,9}){0,3}(?:\s{1,4}[^\s-]\S{0,200}){1,2}"
            rf"\s{{1,4}}{_OPEN}{_BARE}"
        ),
        "word",
    ),
    (
        "piped-password",
        "echo ",
        "|",
        (
            rf"(?:-[ne]{{1,2}} )?{_OPEN}{_BARE}{_OPEN}\s{{0,4}}\|\s{{0,4}}"
            r"(?:sudo[^\n|;]{0,80}?\s(?-i:-[A-Za-z]{0,5}S)\b"
            r"|[^\n|;]{1,200}?--password-stdin\b|(?:sudo )?passwd\s[^\n|;]{0,60}?--stdin)"
        ),
        "word",
    ),
    (
        "piped-password",
        "echo ",
        "chpasswd",
        rf"(?:-[ne]{{1,2}} )?{_OPEN}[\w.-]{{1,64}}:{_BARE}{_OPEN}\s{{0,4}}\|\s{{0,4}}(?:sudo )?chpasswd\b",
        "word",
    ),
    ("piped-password", "<<<", "sudo", rf"(?<=-S <<<)\s{{0,2}}{_OPEN}{_BARE}", "word"),
    (
        "redis-password",
        "auth ",
        "",
        (
            r"(?-i:(?<=\nAUTH )|(?<=> AUTH )|(?<=^AUTH )|(?<=nAUTH ))(?:[\w.-]{1,64} )?([^\s\"'`\\]{8,200})"
            r"(?=\s*(?:\n|\Z))"
        ),
        "secret",
    ),
    (
        "cookie",
        " -b",
        "curl",
        (
            r"(?-i:(?<=-b))[ =]?[\\]{0,3}[\"']?(?:[^\"'\n;=]{0,40}=[^\"'\n;]{0,200};\s?){0,3}"
            r"[\w.-]{0,20}(?:sess|sid|auth|token|jwt|csrf)[\w.-]{0,20}=([^\s;\"'\\]{8,4000})"
        ),
        "header",
    ),
    (
        "secret",
        "--from-literal",
        "",
        r"[= ][\\]{0,3}[\"']?[\w.-]{1,80}=[\\]{0,3}[\"']?([^\s\"'`\\]{3,400})",
        "password",
    ),
    ("secret", "securestring", "", r"(?:\t|\\t)([^\t\n\\]{3,4000})(?:\t|\\t)[0-9]{1,9}(?![^\s\"'\\])", "word"),
    (
        "secret",
        "securestring",
        "",
        r"\\{0,3}\"[^{}]{0,200}?\\{0,3}\"value\\{0,3}\"\s{0,4}:\s{0,4}\\{0,3}\"([^\"\\]{3,4000})",
        "word",
    ),
    ("kubeadm-token", "--token", "", r"[ =]([a-z0-9]{6}\.[a-z0-9]{16})(?![\w.])", "word"),
    *(
        (
            "basic-auth",
            word,
            "",
            rf"{before}{_ARGUMENT}[^\"'\n\\]{{1,80}}\\{{0,3}}[\"']\s{{0,2}},{_ARGUMENT}([^\"'\n\\]{{3,200}})\\{{0,3}}[\"']",
            "word",
        )
        for word, before in (("auth=(", ""), ("auth(", r"(?:(?<=basicauth\()|(?<=digestauth\())"))
    ),
    ("password", "password(", "pass", r"\s{0,2}\\{0,3}[\"']([^\s\"'\\]{5,200})\\{0,3}[\"']\s{0,2}\)", "password"),
    *(
        ("secret", word, "long", rf"(?:\\{{0,3}}[\"'])?\s{{0,4}}[:=]\s{{0,4}}{_OPEN}([\w.+/=-]{{20,400}})", "token")
        for word in ("secret_key_base", "jwt_signing")
    ),
    ("vault-key", "unseal key", "long", r" [0-9]{1,2}: {1,4}([0-9A-Za-z+/]{40,90}={0,2})", "token"),
    ("okta-token", "ssws", "long", r"[ :=]{1,3}(00[\w-]{38,42})", "token"),
    ("totp-secret", "otpauth://", "", r"[^\s\"'<>\\]{0,300}?[?&]secret=([a-z2-7]{16,128})", "word"),
    (
        "pgpass",
        ":543",
        "long",
        r"[0-9]{1,2}:(?![0-9a-f]{1,4}:)[^\s:]{1,64}:[^\s:]{1,64}:([^\s\"'`\\]{3,200})",
        "word",
    ),
    ("signed-url", "signature=", "long", r"([0-9a-f]{64,1024})(?![0-9A-Za-z])", "token"),
)
"""(id, literal in lower case, what else the text must have, pattern of what follows the literal in any case, how its
group 1 is judged: secret_values.py). The third is looked for first and spares the literal; `long`: as tokens are."""

KEY_STEMS = ("pass", "pwd", "pw", "secret")
LONG_KEY_STEMS = ("token", "key", "credential", "psk", "pat")
"""Literals in lower case, one of which is in every name beside which a value may be a secret (secret_keys.py). Values
of the second are long words: the stems are not looked for in a text that has none."""

PEM = (
    r"[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:(?:[\s\"',+>|#*→\x1b]|-(?!-)|\\+[nrt]?){1,200}(?:[0-9A-Za-z+/=]{20,}"
    r"|(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset): [^\n\\]{0,120}"
    r"|[A-Za-z+/]{0,19}[0-9=+/][0-9A-Za-z+/=]{0,19}(?![0-9A-Za-z])"
    r"|[A-Za-z]{1,19}(?=(?:\s|\\[nr]|[\"',]){0,9}(?:-----END|\Z))))+"
    r"(?:(?:[\s\"',+>|#*→\x1b]|-(?!-)|\\+[nrt]?|[0-9]{1,6}→){0,50}-----END [A-Z0-9 ]{0,40}-----)?"
)
"""What follows `-----BEGIN ` of a private key: PKCS#1, PKCS#8, SEC1, DSA, OpenSSH, encrypted, PGP. Lines may be joined
by a literal backslash-n, numbered, quoted or marked as in a diff; the end may be missing. A header alone is text."""

PUTTY = r" {0,4}[0-9]{1,4}(?:(?:\s|\\+[nrt]?){1,9}(?:[0-9A-Za-z+/=]{20,}|[0-9A-Za-z+/]{1,19}={1,2}))+"
"""What follows `Private-Lines:` in a PuTTY key file."""
