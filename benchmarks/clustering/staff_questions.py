"""Topics of the made-up staff handbook: questions, wordings of the policy and of its details, and wordings that are wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Wordings = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Topic:
    """One policy.

    Attributes:
        questions: what staff write.
        says: wordings of the policy.
        always: for each detail that no right answer leaves out, its wordings.
        sometimes: for each detail that an answer may have, its wordings.
        by_site: numbers that differ from site to site, by slot; the first one belongs to the first site, and so on.
        wrong: wordings of the policy where it is stated wrongly.
        wrong_always: the details that go with them.
        foreign: the question is in another language than English.
    """

    questions: Wordings
    says: Wordings
    always: tuple[Wordings, ...] = ()
    sometimes: tuple[Wordings, ...] = ()
    by_site: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    wrong: Wordings = ()
    wrong_always: tuple[Wordings, ...] = ()
    foreign: bool = False

    def facts(self, site: str) -> dict[str, str]:
        """Return the values of the slots at a site."""
        place = sum(map(ord, site))
        return {slot: str(values[place % len(values)]) for slot, values in self.by_site.items()}


ORDINARY = (
    Topic(
        ("How many days of annual leave do I get?", "what is my holiday allowance", "Annual leave for full-timers in {site}, how much is it?",
         "How much holiday am I entitled to per year?"),
        ("You have {n} days of annual leave a year.", "Full-time staff get {n} days off each year.", "Your yearly allowance is {n} working days.",
         "At {site}, annual leave comes to {n} days."),
        sometimes=(("Public holidays come on top.", "Bank holidays are not counted in this."),
                   ("Part-timers get a share in proportion.", "If you work part-time, it is reduced pro rata.")),
        by_site={"n": (25, 26, 28, 30)},
    ),
    Topic(
        ("When do we get paid?", "what day is payday", "Which day of the month does the salary arrive?", "When is my wage transferred?"),
        ("Salaries are paid on the {n}th of each month.", "Payday is the {n}th.", "You receive your pay on the {n}th of the month.",
         "Your wage reaches your account on day {n} of every month."),
        sometimes=(("If that is a weekend, it is the Friday before.", "On weekends the payment moves to the last working day before."),
                   ("The payslip follows a day later.", "You will see the payslip one day after.")),
        by_site={"n": (24, 25, 26, 27)},
    ),
    Topic(
        ("What discount do staff get?", "Do I get money off in our own shop?", "staff discount how much", "How high is the employee discount in {site}?"),
        ("Employees get {n}% off in all our shops.", "Your staff discount is {n}%.", "You save {n} percent on what you buy with us.",
         "There is a reduction of {n}% for members of staff."),
        sometimes=(("Gift cards are excluded.", "It does not apply to gift cards."), ("Show your staff card at the till.", "Bring your staff card.")),
        by_site={"n": (15, 20, 25)},
    ),
    Topic(
        ("What do I have to wear in the shop?", "is there a dress code", "Are trainers allowed on the shop floor?", "Do I need a uniform at {site}?"),
        ("On the shop floor you wear the green apron and dark trousers.", "The dress code is dark trousers with our green apron.",
         "Please wear your apron (green) and dark trousers when you serve customers.", "Dark trousers and the green apron are required in the shop."),
        sometimes=(("Closed shoes are a must in the stockroom.", "In the stockroom, shoes have to be closed."),
                   ("The company washes aprons.", "Aprons are washed for you.")),
    ),
    Topic(
        ("How do I swap a shift?", "can I change shifts with a colleague", "I need to swap Saturday with someone, how?", "Swapping shifts in {site}: what are the rules?"),
        ("Agree it with your colleague and enter the swap in the rota two days ahead.", "Find a colleague who agrees, then both of you confirm it in the rota, two days before at the latest.",
         "A swap is fine when both confirm it in the rota at least two days earlier.", "Both of you enter the exchange in the rota, no later than two days before the shift."),
        sometimes=(("Your team lead sees it there.", "The team lead is informed by the rota."),
                   ("Rest times still have to be kept.", "Eleven hours of rest between shifts must remain.")),
    ),
    Topic(
        ("How long is my notice period?", "notice period?", "If I quit, how much notice must I give?", "I want to resign, what is the deadline?"),
        ("Your notice period is {n} weeks.", "You give {n} weeks' notice.", "Resignations take effect after {n} weeks.", "The contract asks for {n} weeks of notice at {site}."),
        sometimes=(("During probation it is one week.", "In the probation period one week is enough."),
                   ("Hand it in on paper.", "It needs to be in writing.")),
        by_site={"n": (4, 6, 8, 12)},
    ),
    Topic(
        ("Can I bring my dog?", "Are pets ok in the office", "is my dog allowed at {site}", "May I take my dog to work?"),
        ("Dogs are welcome in the offices, but not in shops or warehouses.", "You may bring a dog to the office; shops and warehouses are off limits.",
         "In office areas a dog is fine. In shops and the warehouse it is not.", "Only the offices allow dogs."),
        sometimes=(("Ask the colleagues in the room first.", "The people in your room have to agree."),),
    ),
    Topic(
        ("How do I reset my till password?", "till login forgotten", "The till does not accept my PIN, what now?", "locked out of the till"),
        ("Ask your shift lead, who can set a new PIN at the till.", "A shift lead can give you a new PIN.", "Your shift lead resets it in the back office.",
         "New PINs are set by the shift lead on duty."),
        sometimes=(("Choose a PIN you do not use elsewhere.", "Do not reuse the old PIN."), ("It takes a minute.", "This is done at once.")),
    ),
    Topic(
        ("Which training can I book?", "Are there courses for new team leads?", "how to apply for training", "I would like to take a course, where do I sign up?"),
        ("Courses are listed in the learning portal, where you sign up after your lead agrees.", "Have a look at the learning portal; once your lead agrees you can sign up.",
         "You find and book training in the learning portal, with the consent of your lead.", "Sign up in the learning portal when your team lead has said yes."),
        sometimes=(("Travel is paid.", "We pay for the travel."), ("Two courses a year are usual.", "Most people take two courses in a year.")),
    ),
    Topic(
        ("How long is the break?", "when can I take my break", "Break times on an eight hour shift?", "how many minutes of break do we get at {site}"),
        ("A shift of eight hours has a break of {n} minutes.", "You get {n} minutes of break in eight hours.", "For eight hours it is {n} minutes.",
         "Breaks are {n} minutes long on a full shift."),
        sometimes=(("You may split it.", "It can be taken in two parts."), ("Clock out for it.", "Remember to clock out.")),
        by_site={"n": (30, 40, 45)},
    ),
)  # fmt: skip

MODES: dict[str, tuple[Topic, ...]] = {
    "old_number": (Topic(
        ("How many days of leave can I carry over?", "can I take unused holiday into next year", "What happens to my leftover leave in December?",
         "Carry over of holiday at {site}?", "I have days left this year. Are they lost?"),
        ("You can carry over up to {n} days into the next year.", "Up to {n} unused days move to next year.", "At most {n} days of leave are carried forward.",
         "{n} days can be taken along into the new year."),
        sometimes=(("Take them by the end of March.", "They have to be used before April."), ("The rest expires.", "Anything above that is lost.")),
        by_site={"n": (8, 9, 10), "old": (4, 5)},
        wrong=("You can carry over up to {old} days into the next year.", "Up to {old} unused days move to next year.",
               "At most {old} days of leave are carried forward.", "{old} days can be taken along into the new year."),
    ),),
    "unit": (Topic(
        ("When do I need a sick note?", "I have a cold, do I have to see a doctor at once?", "sick note from which day", "From when on is a doctor's note needed in {site}?",
         "I am ill since yesterday. Do you want a certificate?"),
        ("A sick note is needed after {n} days.", "You hand in a doctor's note when you are ill for more than {n} days.", "For the first {n} days no certificate is required.",
         "Once you have been off sick for {n} days, please send a note."),
        sometimes=(("Call your lead on the first morning.", "Tell your lead before the shift begins."), ("A photo of the note is enough.", "You can send a photo of it.")),
        by_site={"n": (2, 3, 4)},
        wrong=("A sick note is needed after {n} weeks.", "You hand in a doctor's note when you are ill for more than {n} weeks.",
               "For the first {n} weeks no certificate is required.", "Once you have been off sick for {n} weeks, please send a note."),
    ),),
    "negation": (Topic(
        ("Can I work from abroad for a week?", "working from Spain in summer, ok?", "May I do my office job from another country?", "I would like to work remotely from my parents' place in Poland",
         "Is remote work outside of the country possible?"),
        ("Working from abroad is not allowed.", "No, you may not work from another country.", "I'm afraid remote work is limited to the country of your contract.",
         "Unfortunately you cannot work from abroad, not even for a few days."),
        (("Social insurance and tax would change.", "This is due to tax and insurance rules.", "The reason is social insurance."),),
        (("Within the country two days a week are fine.", "At home you can do two days a week."),),
        wrong=("Working from abroad is allowed.", "Yes, you may work from another country.", "Good news: remote work is not limited to the country of your contract.",
               "You can work from abroad, even for several weeks."),
        wrong_always=(("Just tell your lead.", "Let your lead know beforehand.", "Agree the dates with your lead."),),
    ),),
    "no_warning": (Topic(
        ("How do I sell my staff shares?", "I want to cash in the shares from the plan", "selling employee shares, what are the steps", "Can I get my money out of the share plan?"),
        ("You can sell your shares in the broker's portal at any time.", "Log in to the portal of the broker and choose Sell.", "Shares from the plan are sold through the broker's portal.",
         "The broker's portal lets you sell whenever markets are open."),
        (("Warning: if you sell within five years, you owe income tax on the discount.", "Be careful: shares held for less than five years are taxed when they are sold.",
          "Please note that a sale before five years have passed costs you income tax.", "Keep the tax in mind: it is due if you hold the shares for under five years."),),
        (("The money arrives after three working days.", "Allow three working days for the payment."), ("A fee of 12 euros is deducted.", "The broker keeps a fee of 12 euros.")),
    ),),
    "invented": (Topic(
        ("Where do I find my payslip?", "payslip of last month please", "How can I download my payslips?", "I need my pay slip for the bank"),
        ("Payslips are in StaffHub under Documents.", "Open StaffHub, go to Documents, and download it there.", "You find it among your Documents in StaffHub.",
         "In StaffHub, the page Documents lists all of them."),
        sometimes=(("They stay there for ten years.", "You can go back ten years."), ("Paper copies are sent on request only.", "On paper you get them on request.")),
        wrong=("Tap the Instant Payslip button on the start screen of the StaffHub app.", "Use the Instant Payslip feature: one tap and the PDF is sent to your phone.",
               "The StaffHub app has a button, Instant Payslip, which mails it to you.", "Just press Instant Payslip in the mobile app."),
    ),),
    "language": (
        Topic(
            ("Wie beantrage ich Urlaub?", "Urlaub beantragen, wie geht das?", "Ich möchte im Juli Urlaub nehmen. Wo trage ich das ein?", "Bis wann muss ich meinen Urlaub anmelden?"),
            ("Du trägst den Urlaub in StaffHub ein, spätestens vier Wochen vorher.", "Bitte stelle den Antrag in StaffHub, und zwar vier Wochen vor Beginn.",
             "Urlaub wird in StaffHub beantragt. Die Frist beträgt vier Wochen.", "Das geht in StaffHub unter Abwesenheit, bitte vier Wochen im Voraus."),
            sometimes=(("Deine Teamleitung gibt ihn frei.", "Die Freigabe kommt von der Teamleitung."), ("Im Dezember gilt eine Urlaubssperre.", "Für den Dezember gibt es eine Sperre.")),
            wrong=("You enter leave in StaffHub, four weeks ahead at the latest.", "Please apply in StaffHub, four weeks before it begins.",
                   "Leave is requested in StaffHub. The deadline is four weeks.", "Go to Absence in StaffHub, please four weeks in advance."),
            foreign=True,
        ),
        Topic(
            ("¿Cómo pido vacaciones?", "Quiero vacaciones en agosto, ¿dónde las solicito?", "¿Con cuánta antelación tengo que pedir mis vacaciones?", "solicitar vacaciones"),
            ("Las vacaciones se piden en StaffHub con cuatro semanas de antelación.", "Solicítalas en StaffHub, a más tardar cuatro semanas antes.",
             "Entra en StaffHub y haz la solicitud cuatro semanas antes de empezar.", "Puedes pedirlas en StaffHub; el plazo es de cuatro semanas."),
            sometimes=(("Tu responsable las aprueba.", "Las tiene que aprobar tu responsable."), ("En diciembre no se conceden.", "En diciembre no es posible.")),
            wrong=("Holidays are requested in StaffHub four weeks in advance.", "Ask for them in StaffHub, four weeks before at the latest.",
                   "Open StaffHub and file the request four weeks before they start.", "You can request them in StaffHub; the deadline is four weeks."),
            foreign=True,
        ),
    ),
    "refusal": (Topic(
        ("I am pregnant. How long can I stay at home?", "How does parental leave work for fathers?", "parental leave how many months", "We are expecting a child, what leave do I get at {site}?"),
        ("Parents can take up to {n} months of parental leave.", "You are entitled to {n} months at home.", "Parental leave lasts up to {n} months, for mothers and fathers.",
         "Each parent may stay at home for as long as {n} months."),
        sometimes=(("Tell us eight weeks before.", "Please apply eight weeks ahead."), ("Your job is kept for you.", "You return to the same job.")),
        by_site={"n": (10, 12, 14, 18)},
    ),),
    "other_question": (Topic(
        ("How does the bike scheme work?", "can I lease a bicycle through the company", "cycle to work scheme in {site}?", "I want an e-bike with the job bike offer"),
        ("You can lease a bicycle for {n} months and pay it from your gross salary.", "The bike is leased for {n} months; the rate is taken from your salary before tax.",
         "With the scheme you choose a bicycle and pay it off over {n} months from your wage.", "A leased e-bike costs you a monthly rate from gross pay, for {n} months."),
        sometimes=(("Insurance is included.", "It is insured."), ("Choose a dealer from the list.", "The dealer must be on our list.")),
        by_site={"n": (24, 36)},
        wrong=("Parking behind the shop is free for staff, with a permit.", "You need a permit to park at the back of the store; it costs nothing.",
               "Staff may park on the upper deck. Ask reception for the permit.", "A parking permit is issued by reception."),
    ),),
    "short": (Topic(
        ("How do I claim travel expenses?", "Can I get the train ticket to the course back?", "expense claim for a taxi, how", "I paid for customer flowers myself. Can I claim it?"),
        ("Enter the expense in StaffHub with a photo of the receipt within {n} days, and it is paid with the next salary.",
         "Take a photo of the receipt, add it under Expenses in StaffHub no later than {n} days after, and you get it back with your pay.",
         "You claim it in StaffHub: upload the receipt within {n} days. The refund comes with the next payslip.",
         "Within {n} days, upload your receipt to StaffHub under Expenses; the amount is added to your next salary."),
        sometimes=(("Later claims are lost.", "After that the claim expires."), ("Taxis need a reason.", "For a taxi, give the reason.")),
        by_site={"n": (30, 60, 90)},
    ),),
    "overtime": (Topic(
        ("Is overtime paid?", "I stayed two hours longer yesterday, what do I get for it?", "What happens with my extra hours at {site}?", "overtime rules please"),
        ("Overtime is given back as time off.", "Extra hours go to your time account and are taken as free time.", "You get time off for the hours you worked more.",
         "Additional hours are balanced by free time."),
        sometimes=(("Your lead has to agree to overtime beforehand.", "It needs the consent of your lead."), ("This holds for all shops.", "The rule is the same everywhere.")),
        wrong=("Overtime is paid with a bonus of 25%.", "Extra hours are paid out with your salary, plus 25%.", "You get money for the hours you worked more: 125% of the hourly wage.",
               "Additional hours are paid at one and a quarter times the usual rate."),
    ),),
    "contact": (Topic(
        ("Who can tell me about my pension?", "pension plan, whom do I ask?", "I have a question on the company pension", "How do I raise my pension contribution? Who is in charge?"),
        ("The benefits desk is in charge of pensions.", "Please write to the benefits desk.", "Your contact is the benefits desk, which looks after the pension plan.",
         "The colleagues of the benefits desk take care of it."),
        sometimes=(("They answer within two days.", "You get a reply in two days."), ("Have your staff number ready.", "They need your staff number.")),
        wrong=("Payroll is in charge of pensions.", "Please write to payroll.", "Your contact is the payroll team, which looks after the pension plan.",
               "The colleagues of payroll take care of it."),
    ),),
}  # fmt: skip
"""Topics whose policy production may state wrongly, by mode."""
