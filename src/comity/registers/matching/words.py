"""Words that say little in a name: legal forms by their class, titles, particles, prefixes of ships, words of trade."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Class of legal forms -> its forms as tokens. Phrases are matched before single words.
_FORMS = {
    "ltd": "ltd limited lte private-limited pvt-ltd pty-ltd pte-ltd co-ltd company-limited limitada ltda pvt pte pty "
    "limitee ltee sendirian-berhad sdn-bhd bhd sdn",
    "llc": "llc limited-liability-company gmbh sarl srl ooo too tov spzoo sp-z-o-o sp-z-oo sp-zoo doo fzc fze fz-llc "
    "fzco dmcc wll eurl sl uab oou eood ood dooel spol-s-ro sro kft bv bvba eirl unipessoal-lda lda mmc mchj "
    "obshchestvo-s-ogranichennoi-otvetstvennostiu obshchestvo-s-ogranichennoy-otvetstvennostyu "
    "gesellschaft-mit-beschrankter-haftung societe-a-responsabilite-limitee sociedad-limitada s-de-rl-de-cv s-de-rl "
    "besloten-vennootschap",
    "corp": "ag sa spa plc nv oyj oy ab asa jsc pjsc ojsc cjsc ao oao zao pao aktiengesellschaft joint-stock-company "
    "public-joint-stock-company open-joint-stock-company closed-joint-stock-company ad akcionarsko-drustvo sa-de-cv "
    "sapi-de-cv saog saoc psc pjs pt tbk perseroan-terbatas societe-anonyme sociedad-anonima anonim-sirketi kk "
    "kabushiki-kaisha se as aps hf nyrt zrt sca ca sas public-limited-company aktsionernoe-obshchestvo youxian-gongsi",
    "inc": "inc incorporated corp corporation",
    "co": "co company cie compagnie compania and-co cia sherkat sherkate gongsi kompaniya",
    "kg": "kg ohg kgaa gbr gmbh-co-kg gmbh-and-co-kg lp llp partnership",
    "group": "group holding holdings gruppe groupe grupo gruppa",
}
FORMS = {form: name for name, forms in _FORMS.items() for form in forms.split() if "-" not in form}
FORM_PHRASES = sorted(
    ((tuple(form.split("-")), name) for name, forms in _FORMS.items() for form in forms.split() if "-" in form),
    key=lambda phrase: -len(phrase[0]),
)
TITLES = _words(
    "mr mrs ms miss dr prof professor sir madam herr frau monsieur madame mme senor senora don dona haji hajji "
    "hajj hadji haj mullah maulavi maulawi mawlawi maulana mullo sheikh shaykh shaikh cheikh sayyid sayed syed ustad "
    "imam qari alhaj alhaji general gen colonel col major maj captain capt lieutenant lt brigadier commander "
    "admiral president minister presidente prezident prasident predsjednik presedintele presiden presidente elnok "
    "judge king prince eng engineer ing comrade"
)
PARTICLES = _words(
    "al el ul bin ibn ben bint binti binte ould wuld ap de del della di da das do dos du des la le les los las "
    "von van der den ten ter zu zum y e i and und et of the for auf im"
)
SHIP_PREFIXES = _words("mv ms mt ss fv mts msc mvs hms sy my")
# Words of many firms: they agree by chance.
COMMON_WORDS = _words(
    "trading trade international general import export imports exports industries industry industrial commercial "
    "enterprise enterprises business services service shipping maritime marine logistics transport transportation "
    "investment investments bank petroleum oil gas energy engineering technology technologies electronics "
    "construction development global world national foundation organization organisation establishment factory "
    "manufacturing products supply agency airlines aviation center centre institute university company sons "
    "brothers bros comercial comercio importadora exportadora inmobiliaria servicios industria handel handels "
    "gesellschaft vertriebs torgovy dom torgovyi firma impex systems solutions management consulting resources "
    "medical foods food textile textiles steel agro auto motors plastics chemical chemicals star golden new first"
)
# Given names and families that very many people have, wherever a list comes from: they agree by chance.
COMMON_NAMES = _words(
    "garcia fernandez lopez martinez sanchez perez gomez gonzalez rodriguez hernandez ramirez torres flores "
    "rivera diaz cruz reyes morales ortiz gutierrez chavez ramos ruiz alvarez mendoza vasquez castillo jimenez "
    "moreno romero herrera medina vargas castro guzman rojas munoz silva santos ferreira pereira oliveira costa "
    "rodrigues martins souza sousa lima almeida carvalho gomes ribeiro alves jose maria juan luis carlos javier "
    "miguel pedro pablo rosa ana elena manuel antonio francisco jorge fernando alejandro ricardo roberto eduardo "
    "rafael sergio mario joao paulo smith johnson williams brown jones miller davis wilson anderson taylor thomas "
    "moore martin jackson thompson white harris clark lewis robinson walker young allen king wright scott green "
    "baker adams nelson hill campbell mitchell roberts carter phillips evans turner parker collins edwards "
    "stewart john james robert michael william david richard joseph charles christopher daniel matthew anthony "
    "mark paul steven andrew george mary patricia jennifer linda elizabeth barbara susan muller schmidt schneider "
    "fischer weber meyer wagner becker schulz hoffmann bauer koch richter klein wolf hans peter klaus rossi russo "
    "ferrari esposito bianchi romano colombo ricci marino greco marco luca giuseppe giovanni francesco andrea "
    "dubois durand leroy moreau simon laurent lefebvre michel bernard petit roux jean pierre marie louis philippe "
    "nicolas jansen bakker visser smit meijer mulder jan johansson andersson karlsson nilsson eriksson larsson "
    "hansen olsen jensen nielsen nowak kowalski wisniewski ivan alexander alexei sergei dmitry mikhail andrei "
    "vladimir nikolai olga natalia tatiana irina ivanov petrov smirnov kuznetsov popov sokolov volkov novikov "
    "morozov shevchenko kovalenko bondarenko jovanovic petrovic nikolic markovic ivanovic popescu ionescu nagy "
    "toth horvath yilmaz kaya demir celik sahin yildiz aydin ozturk arslan dogan mehmet mustafa ahmet emre murat "
    "fatma mohammed mohammad muhammad mohamed ahmed ahmad ali hassan hasan hussein hossein omar khalid ibrahim "
    "yusuf abdul abdullah abdel abd rahman karim mahmoud mahmud saleh salim said nasser mansour hamid rashid khan "
    "malik qasim jamal samir tariq fatima reza mehdi amir ahmadi mohammadi karimi hosseini rezaei moradi jafari "
    "rahimi kazemi sadeghi sharma patel gupta singh kumar reddy joshi mehta nair shah das raj sanjay rajesh amit "
    "rahul vikram hussain iqbal chaudhry wang zhang liu chen yang huang zhao zhou sun zhu gao lin guo luo liang "
    "song zheng tang feng deng cao peng zeng xiao wei jun ming jing lei yan hui min jian hong ping nguyen tran "
    "pham hoang phan minh anh tuan kim lee park choi jung kang cho sato suzuki takahashi tanaka watanabe ito "
    "yamamoto nakamura kobayashi kato mensah owusu okafor adeyemi okonkwo balogun mwangi kamau otieno banda phiri"
)
