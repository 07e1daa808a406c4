"""Lists written for the tests: made-up persons, firms and ships, in the forms of publishers."""

from __future__ import annotations

import json

UN = """<?xml version="1.0" encoding="UTF-8"?>
<CONSOLIDATED_LIST dateGenerated="2026-02-27T00:00:09.554Z"><INDIVIDUALS>
<INDIVIDUAL><FIRST_NAME>ORBAN</FIRST_NAME><SECOND_NAME>TAVROSH</SECOND_NAME><THIRD_NAME>KELIMDAR</THIRD_NAME>
<UN_LIST_TYPE>TEST</UN_LIST_TYPE><REFERENCE_NUMBER>TSi.001</REFERENCE_NUMBER><LISTED_ON>2020-05-01</LISTED_ON>
<NATIONALITY><VALUE>Iran (Islamic Republic of)</VALUE></NATIONALITY>
<INDIVIDUAL_ALIAS><QUALITY>Good</QUALITY><ALIAS_NAME>Orban Kelimdarov; Tavrosh the Elder</ALIAS_NAME></INDIVIDUAL_ALIAS>
<INDIVIDUAL_ALIAS><QUALITY>Low</QUALITY><ALIAS_NAME>Zimbalo</ALIAS_NAME></INDIVIDUAL_ALIAS>
<INDIVIDUAL_DATE_OF_BIRTH><DATE>1971-05-28</DATE></INDIVIDUAL_DATE_OF_BIRTH>
<INDIVIDUAL_DATE_OF_BIRTH><FROM_YEAR>1970</FROM_YEAR><TO_YEAR>1972</TO_YEAR></INDIVIDUAL_DATE_OF_BIRTH>
<INDIVIDUAL_DOCUMENT><TYPE_OF_DOCUMENT>Passport</TYPE_OF_DOCUMENT><NUMBER>Q 7781234</NUMBER>
<ISSUING_COUNTRY>Iran</ISSUING_COUNTRY></INDIVIDUAL_DOCUMENT>
<NAME_ORIGINAL_SCRIPT>اوربان تاوروش</NAME_ORIGINAL_SCRIPT></INDIVIDUAL>
</INDIVIDUALS><ENTITIES>
<ENTITY><FIRST_NAME>VELMORA SHIPPING COMPANY LTD (VSC)</FIRST_NAME><REFERENCE_NUMBER>TSe.001</REFERENCE_NUMBER>
<ENTITY_ADDRESS><COUNTRY>Panama</COUNTRY></ENTITY_ADDRESS></ENTITY>
</ENTITIES></CONSOLIDATED_LIST>""".encode()

SDN = (
    b'101,"KARZOVIN, Milan Petrushk","individual","TEST] [OTHER",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,'
    b"\"DOB 28 Jul 1963; nationality Serbia; Passport P0017003 (Serbia); a.k.a. 'THE BAKER'.\"\r\n"
    b'102,"BRINTOLA TRADING S.A. DE C.V.",-0- ,"TEST",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,'
    b'"Tax ID No. 5567812345 (Mexico)."\r\n'
    b'103,"GULDEN MARE","vessel","TEST",-0- ,"CL2685","General Cargo","2597","1098","Cyprus",-0- ,'
    b'"Vessel Registration Identification IMO 9321483; MMSI 212345678 (MMSI) 212345678."\r\n\x1a'
)
ALT = b'101,1,"aka","KARZOVYN, Milan",-0- \r\n'
ADD = b'102,1,"Calle 1","Monterrey","Mexico",-0- \r\n'

EU = b"""<?xml version="1.0"?>
<export xmlns="http://eu.europa.ec/fpi/fsd/export" generationDate="2026-01-15T10:00:00.000+01:00">
<sanctionEntity designationDetails="a note" euReferenceNumber="EU.1.1" logicalId="13">
<regulation programme="TST" numberTitle="2026/1" publicationDate="2026-01-02"/>
<subjectType code="person" classificationCode="P"/>
<nameAlias wholeName="The Quill" strong="false"/>
<nameAlias firstName="Dagmar" lastName="Ostrelund" wholeName="" strong="true"/>
<citizenship countryIso2Code="SE"/><birthdate birthdate="1980-02-03" year="1980" countryIso2Code="00"/>
<identification identificationTypeCode="passport" number="SE1122334" countryIso2Code="SE"/></sanctionEntity>
<sanctionEntity euReferenceNumber="EU.2.2"><subjectType code="enterprise" classificationCode="E"/>
<nameAlias wholeName="Norvikstal AB"/></sanctionEntity></export>"""

FTM = "\n".join(
    json.dumps(entity)
    for entity in (
        {
            "id": "q1",
            "schema": "Person",
            "properties": {
                "name": ["Ivo Brankelov"],
                "alias": ["Иво Бранкелов"],
                "birthDate": ["1975"],
                "nationality": ["bg"],
            },
            "datasets": ["made_up"],
        },
        {"id": "q2", "schema": "Vessel", "properties": {"name": ["Sea Trumpet"], "imoNumber": ["IMO9074729"]}},
        {"id": "q3", "schema": "Address", "properties": {"full": ["Somewhere 1"]}},
    )
).encode()

TRADERS = (
    b"number,name,country,status,issuer,arrangement,state,valid_from,valid_until\n"
    b"XA-4711,Alfa Shoes Ltd.,XA,AEOF,XA,,valid,2020-01-01,\n"
    b"XC-9000,Charlie Imports,XC,AEOC,XC,XA-XC MRA 2024,suspended,2020-01-01,\n"
)
CONTROLS = (
    b"ref,hs,direction,countries,measure,documents,title,clause,valid_from,valid_until\n"
    b"C-1,6404;9306,export,XC,licence,X002,Sports goods for XC,Order 12 s. 3,2020-01-01,\n"
    b"C-2,930630,both,*,prohibited,,Cartridges,Order 12 s. 4,,\n"
)
RIGHTS = (
    b"ref,right,mark,holder,holder_id,hs,keywords,licensees,clause,valid_from,valid_until\n"
    b"R-1,trade mark,Swiftfoot,Swiftfoot BV,NL-1,64,shoes,XA-77,Act 5 s. 9,2020-01-01,2030-01-01\n"
)
SPECIES = (
    b"taxon,common_names,appendix,hs,documents\nPanthera pardus,leopard,1,,\nAcipenser spp.,sturgeon;caviar,2,16;03,\n"
)
ROUTES = (
    b"ref,origin,destination,hs,measure,title,clause,valid_from,valid_until\n"
    b"E-1,XA,XD,,embargo,Embargo on XD,Act 7 s. 1,,\nE-2,XA,XC,64,watch,Shoes to XC,Note 3,,\n"
)
