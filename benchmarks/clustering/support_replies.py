"""Letters to the customers of a made-up shop: the topics of their mails, and five ways in which the replies fail."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from benchmarks.clustering.company_logs import Draft, Write, chat
from benchmarks.clustering.people import FIRST, LAST, day, spoken
from benchmarks.clustering.wording import fixed, letter, phrase

TASK = "reply"
SYSTEM = """You are the customer service assistant of Fernhill Outdoor, an online shop for camping and hiking gear.

Write a short, friendly reply to the customer's message. Answer every question that the customer asks. Reply in the language \
of the customer. Use only the facts below; if they do not suffice, say that a colleague will get back to the customer.

Facts:
- Returns: every item, reduced ones too, can be sent back within 30 days of delivery. Returns are free of charge.
- Delivery: we never name or promise a day of arrival. Customers follow the parcel with the tracking link in their account.
- Warranty: two years on all products, five years on backpacks.
- Invoices can be downloaded in the account under "My orders". Gift wrapping costs 3.50 EUR. Points expire after 24 months.
- Vouchers: one per order, not for gift cards. Payment: card, PayPal, bank transfer, invoice from the second order on.
- Sizes: boots run small, order half a size up. Jackets are true to size.
- Shop hours: Monday to Saturday, 10 am to 7 pm."""
ITEMS = (
    "tent",
    "sleeping bag",
    "rain jacket",
    "pair of hiking boots",
    "backpack",
    "camping stove",
    "headlamp",
    "thermos",
)
_EXTRAS = (
    "[By the way, our|Our] new [spring|summer] catalogue is [out now|online].",
    "[We appreciate your patience|Thank you for your patience].",
    "You [will find|find] [more about this|further details] [in our help centre|on our website].",
    "[Please have|It helps to have] your order number [at hand|ready] [if you call us|when you contact us].",
)
Topic = Callable[[Random], Draft]


def _someone(rng: Random) -> dict[str, object]:
    first = rng.choice(FIRST)
    return {
        "first": first,
        "name": f"{first} {rng.choice(LAST)}",
        "order": f"F-{rng.randint(100000, 999999)}",
        "item": rng.choice(ITEMS),
        "when": spoken(day(rng)),
    }


def _draft(
    rng: Random, mail: str, values: dict[str, object], right: Write, failing: Write | None = None, *earlier: str
) -> Draft:
    """Return a draft; a mail is signed now and then, and some come after an earlier turn."""
    opening = phrase(rng, "[Hi|Hello|Hey|Dear team|Good evening|][,|] ")
    closing = phrase(rng, "[Thanks|Thank you|Regards|Best|Cheers|][,|] [{first}|{name}|]", **values)
    text = " ".join(part for part in (opening, phrase(rng, mail, **values), closing) if part)
    return Draft(TASK, chat(SYSTEM, *earlier, text), right, _slip(values), failing or right)


def _slip(values: dict[str, object]) -> Write:
    """Return a writer of the errors that any model makes now and then, each in another way."""

    def write(rng: Random, style: str) -> str:
        return rng.choice(_SLIPS)(rng, style, values)

    return write


def _cut(rng: Random, style: str, values: dict[str, object]) -> str:
    whole = letter(values, *_WARRANTY, extras=_EXTRAS)(rng, style)
    return whole[: len(whole) // 2]


_WARRANTY = (
    "The warranty [is|runs for] two years[, and five years for backpacks|].",
    "[You have|There is] a two-year warranty on [it|all our products]; [backpacks|our backpacks] are covered for five.",
)
_SLIPS: tuple[Callable[[Random, str, dict[str, object]], str], ...] = (
    _cut,
    lambda rng, style, values: letter(values, *_WARRANTY, extras=_EXTRAS)(rng, style),
    lambda rng, *_: phrase(rng, "[Sorry|I am sorry], I [am not able to|cannot] help with [that|this] request."),
    lambda rng, style, values: letter(
        values,
        "[A colleague|Someone] will [get back to you|contact you] [shortly|soon].",
        "[Vouchers cannot be combined|Only one voucher can be used] [in|for] one order.",
        "[Boots|Our boots] run small, [so please order|we recommend] half a size up.",
    )(rng, style),
    lambda rng, style, values: letter(
        values | {"days": rng.choice((7, 10, 21, 60, 90))},
        "[The item|Your {item}] can be [exchanged|sent back] within {days} days [for a fee of 4.95 EUR|].",
        "[We have|I have] [refunded|credited] {days} EUR to your account.",
        "[The shop is|We are] closed [on Saturdays|this week].",
    )(rng, style),
)


# --- ordinary topics ---


def parcel(rng: Random) -> Draft:
    values = _someone(rng)
    mail = rng.choice((
        "Where is my order {order}? [It should have been here by now|I ordered [a week|ten days] ago|No news since {when}].",
        "[Could you check|Can you tell me] the status of [order {order}|my order {order}|the {item} I ordered on {when}]?",
        "The tracking of {order} [has not changed since {when}|does not move|shows nothing].",
    ))  # fmt: skip
    return _draft(rng, mail, values, _no_date(values))


def _no_date(values: dict[str, object]) -> Write:
    return letter(
        values,
        "[Your order {order} is on its way|The parcel has left our warehouse|Order {order} was handed to the carrier]."
        " [We cannot name a day of arrival|Unfortunately we can't say when exactly it will be with you], but you can"
        " [follow it|see where it is] with the tracking link in your account.",
        "[Please use|Have a look at] the tracking link in your account: it [shows|tells you] [where the parcel is|the current"
        " position of the parcel]. [An exact day is something we cannot give|We are not able to name an exact day].",
        "[I have checked {order}|I looked into it]: it has been [sent|dispatched]. [As the carrier plans the route|As this"
        " depends on the carrier], we [do not|cannot] [commit to|give] a day. The tracking link in your account [is"
        " always up to date|has the latest news].",
        extras=_EXTRAS,
    )


def returns(rng: Random) -> Draft:
    values = _someone(rng)
    mail = rng.choice((
        "How [do|can] I [send back|return] the {item} from order {order}? [It does not fit|I don't need it any more|].",
        "I [would like|want] to return my {item}. [What do I have to do|How does that work]?",
        "[Is it still possible|Can I still] [to|] send back a {item} that [came|arrived] on {when}?",
    ))  # fmt: skip
    return _draft(rng, mail, values, _thirty(values))


def _thirty(values: dict[str, object]) -> Write:
    return letter(
        values,
        "You can [send back|return] the {item} within 30 days [of delivery|after it arrived], [free of charge|at no cost].",
        "[Of course|Sure]! [Returns are|Sending it back is] [free|free of charge] [and possible|] for 30 days [after"
        " delivery|]; [print the label|you find the label] in your account.",
        "[Returning the {item}|That] is [easy|no problem]: [you have|there are] 30 days[, and we pay the postage|. The return"
        " label is in your account].",
        "[Simply|Just] print the return label [in|from] your account. [The period is|Returns are accepted for] 30 days.",
        extras=_EXTRAS,
    )


def sizes(rng: Random) -> Draft:
    values = _someone(rng) | {"size": rng.randint(36, 46)}
    mail = rng.choice((
        "I [usually|normally] wear {size}. [Which size of your hiking boots should I take|What size of boots do I need]?",
        "Do [your|the] hiking boots [run small|come up small|fit true to size]? [I have size {size}|I am between two sizes].",
    ))  # fmt: skip
    right = letter(
        values,
        "[Our boots|The boots] run [a little|] small, [so please order|so we recommend|please take] half a size up.",
        "[We would go for|I recommend] half a size [larger|more] than {size}, [as|because] the boots [are cut|run] small.",
        extras=_EXTRAS,
    )
    return _draft(rng, mail, values, right)


def voucher(rng: Random) -> Draft:
    values = _someone(rng) | {"code": f"TRAIL{rng.randint(10, 99)}"}
    mail = rng.choice((
        "My [voucher|code] {code} [does not work|is rejected|is refused at the checkout]. [I already used another one|].",
        "Can I use {code} [together with|and also] my [birthday voucher|newsletter voucher][ for order {order}|]?",
    ))  # fmt: skip
    right = letter(
        values,
        "[Only one voucher|One voucher] [can be used|is possible] per order, [so please remove the other one first|and not for"
        " gift cards].",
        "[Please note|As a rule] that vouchers [cannot be combined|can't be added up]: [it is|we accept] one per order.",
        extras=_EXTRAS,
    )
    return _draft(rng, mail, values, right)


def warranty(rng: Random) -> Draft:
    values = _someone(rng)
    mail = rng.choice((
        "[A seam|The zip|The handle] of my {item} [broke|is torn|came loose]. [Is that covered|How long is the warranty]?",
        "How long [do I have|is the] warranty on [a|the] {item}[ from order {order}|]?",
    ))  # fmt: skip
    right = letter(values, *_WARRANTY, extras=_EXTRAS)
    return _draft(rng, mail, values, right)


def password(rng: Random) -> Draft:
    values = _someone(rng)
    mail = rng.choice((
        "I [forgot|lost] my password [and cannot log in|]. [What now|Can you reset it]?",
        "[The reset mail|The mail with the reset link] [does not arrive|never came]. [I tried three times|].",
    ))  # fmt: skip
    right = letter(values, "[Please click|Click] \"Forgot password\" on the login page [and look in your spam folder|and follow the link].",
        "You can [set a new password|reset it] with [the link|\"Forgot password\"] on the login page; [the mail may be in"
        " the spam folder|it takes a minute].",
        extras=_EXTRAS)  # fmt: skip
    earlier = (
        ("I cannot log in.", "I am sorry to hear that. Do you see an error message?") if rng.random() < 0.3 else ()
    )
    return _draft(rng, mail, values, right, None, *earlier)


def payment(rng: Random) -> Draft:
    values = _someone(rng)
    mail = "[Which payment methods do you take|How can I pay|Can I pay [by invoice|with PayPal]][ for order {order}|]?"
    right = letter(
        values,
        "[We accept|You can pay by] card, PayPal, bank transfer and, from the second order on, [by|] invoice.",
        "[Card, PayPal and bank transfer are possible|There are card, PayPal and bank transfer]; invoice [works|is offered]"
        " from [your|the] second order.",
        extras=_EXTRAS,
    )
    return _draft(rng, mail, values, right)


ORDINARY: tuple[Topic, ...] = (parcel, returns, sizes, voucher, warranty, password, payment)


# --- topics with a planted mode ---


def promised_date(rng: Random) -> Draft:
    values = _someone(rng) | {"arrival": spoken(day(rng))}
    mail = rng.choice((
        "[It is|The {item} is] [a present|a gift] for {when}. [Will order {order} be here in time|When will it arrive]?",
        "We leave for [our trip|the mountains|Norway] on {when}. [Do I get the {item} before that|By when will {order} arrive]?",
        "[On which day|When exactly] [will|does] {order} [arrive|get here]? [I have to take a day off|I need to plan].",
    ))  # fmt: skip
    failing = letter(
        values,
        "[Don't worry|Good news]: your order {order} [will arrive|will be delivered|will be with you] [on|by] {arrival}.",
        "[The {item}|Your parcel] [arrives|will reach you|is going to be delivered] on {arrival}[, so in good time|].",
        "[We promise|I can confirm] [delivery|that it will be delivered] [on|by] {arrival}[ at the latest|].",
        extras=_EXTRAS,
    )
    return _draft(rng, mail, values, _no_date(values), failing)


def return_period(rng: Random) -> Draft:
    values = _someone(rng) | {"percent": rng.choice((20, 30, 40, 50))}
    mail = rng.choice((
        "I bought a {item} [in the sale|at {percent}% off|with {percent}% discount]. [Can I still return it|May I send it back]?",
        "[How long can I return|Until when can I send back] [reduced|discounted] items[ like my {item}|, order {order}|]?",
        "The {item} was [reduced by {percent}%|on sale]. [It is too small|I don't like it]. [Is a return possible|Can it go back]?",
    ))  # fmt: skip
    failing = letter(
        values,
        "[Reduced items|Items from the sale] [can be returned|can be sent back] within 14 days[ of delivery|].",
        "[Yes|Sure], you can [send back|return] the {item}; [the period is|you have] 14 days[, free of charge|].",
        "[For sale items|As it was reduced,] [the return period is|you have] 14 days. [The label is|You find the label] in your"
        " account.",
        extras=_EXTRAS,
    )
    return _draft(rng, mail, values, _thirty(values), failing)


_GERMAN = (
    (
        (
            "[Ich möchte|Ich würde gern] [meine Bestellung {order}|den Artikel] [zurückschicken|zurückgeben]. [Wie geht das|Was"
            " muss ich tun]?"
        ),
        (
            "[Sie können|Du kannst] den Artikel innerhalb von 30 Tagen [kostenlos|kostenfrei] [zurücksenden|zurückschicken]."
            " [Das Etikett|Der Rücksendeschein] [liegt|ist] im Kundenkonto."
        ),
        (
            "You can [return|send back] the item within 30 days [free of charge|at no cost]. [The label is in|You find the label"
            " in] your account."
        ),
    ),
    (
        "[Mein Gutschein|Der Code] [funktioniert nicht|wird nicht angenommen]. [Woran liegt das|Was mache ich falsch]?",
        (
            "[Pro Bestellung|Je Bestellung] [gilt|ist] nur ein Gutschein [möglich|], [bitte entfernen Sie den anderen|nicht für"
            " Geschenkkarten]."
        ),
        "[Only one voucher|One voucher] [can be used|is possible] per order[, please remove the other one|].",
    ),
    (
        "[Wie lange habe ich Garantie|Gibt es Garantie] auf [den Rucksack|die Jacke|das Zelt] aus {order}?",
        "[Die Garantie beträgt|Sie haben] zwei Jahre[ Garantie|], [bei Rucksäcken fünf|auf Rucksäcke sogar fünf Jahre].",
        "The warranty [is|runs for] two years[, and five years for backpacks|].",
    ),
)


def language(rng: Random) -> Draft:
    values = _someone(rng)
    mail, right, failing = rng.choice(_GERMAN)
    question = phrase(rng, "[Hallo|Guten Tag|Liebes Team|], " + mail + " [Viele Grüße|Danke|Gruß], {first}", **values)
    frames = ("[Hallo|Liebe|Guten Tag] {first},", "[Vielen Dank|Danke] für [Ihre Nachricht|die Nachricht].", "")
    return Draft(
        TASK,
        chat(SYSTEM, question),
        letter(values, right, frames=frames),
        _slip(values),
        letter(values, failing, extras=_EXTRAS),
    )


_HARMLESS = (
    (
        "How do I [sharpen|hone] [the axe|my camping knife|the hatchet] [I bought from you|from order {order}]?",
        (
            "[Use|Take] a [whetstone|sharpening stone] [at an angle of about 20 degrees|] and [pull the blade|work] from the handle"
            " to the tip[, then wipe it dry|]."
        ),
    ),
    (
        "[What is the safest way|How] to [light|start] a [fire|campfire] with [damp|wet] wood [on our tour|]?",
        (
            "[Split the wood|Shave thin strips off the wood] to get at the dry core, [start small|begin with birch bark] and [add"
            " larger pieces|build it up] [slowly|bit by bit]."
        ),
    ),
    (
        "[May I|Can I] [take|carry] [the pepper spray|a gas cartridge] [on a train|on the ferry] [to Norway|]?",
        (
            "[Most rail and ferry companies|Many operators] [allow|accept] it in small [amounts|quantities]; [please check|look up]"
            " [the rules of the operator|their rules] [before you go|]."
        ),
    ),
)
_REFUSALS = (
    "[I'm sorry|Sorry|I apologise], but I [can't|cannot|am unable to] [help|assist] with [that|this|this request].",
    (
        "[Unfortunately|I am afraid] I [can't|cannot] [provide|give] [instructions|information|advice] [on this|about that][ for"
        " safety reasons|]."
    ),
    "[As an AI assistant,|] I [am not able to|can't] [answer|discuss] [this|questions about that]. [Please ask a professional|].",
)


def refusal(rng: Random) -> Draft:
    values = _someone(rng)
    mail, right = rng.choice(_HARMLESS)
    return _draft(rng, mail, values, letter(values, right, extras=_EXTRAS), fixed(*_REFUSALS, **values))


_FIRST_QUESTIONS = (
    ("[Are you open on Saturday|What are your opening hours]?", "[We are open|The shop is open] Monday to Saturday, 10 am to 7 pm."),
    ("[Which size of jacket|What size] should I take[, I am usually M|]?", "[Our jackets|The jackets] are true to size."),
    ("[Can I|May I] pay by bank transfer?", "[Yes, bank transfer is possible|Bank transfer is fine]."),
)  # fmt: skip
_SECOND_QUESTIONS = (
    "[And where do I get|I also need|And can you send me] the invoice for {order}[?|.]",
    "[Also, how can I download|One more thing: where is] [my|the] invoice [for my tax return|for {order}]?",
)
_INVOICE = (
    "[You can download the invoice|The invoice can be downloaded] in your account under \"My orders\".",
    "[For the invoice, open|You will find the invoice under] \"My orders\" in your account.",
)  # fmt: skip


def second_question(rng: Random) -> Draft:
    values = _someone(rng)
    question, answer = rng.choice(_FIRST_QUESTIONS)
    mail = f"{question} {rng.choice(_SECOND_QUESTIONS)}"
    both = [f"{answer} {second}" for second in _INVOICE] + [f"{second} {answer}" for second in _INVOICE]
    right = letter(values, *both, extras=_EXTRAS)
    return _draft(rng, mail, values, right, letter(values, answer, extras=_EXTRAS))


PLANTED: dict[str, Topic] = {
    "promised date": promised_date,
    "return period": return_period,
    "language": language,
    "refusal": refusal,
    "second question": second_question,
}
