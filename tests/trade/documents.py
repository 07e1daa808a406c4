"""Own, invented WCO documents: built here so that a test can bend exactly one thing."""

from __future__ import annotations

DEC = "urn:wco:datamodel:WCO:DEC-DMS:2"
META = "urn:wco:datamodel:WCO:DocumentMetaData-DMS:2"


def item(number: int = 1, extra: str = "", hs: str = "85183000", mass: str = "120.500", origin: str = "XA") -> str:
    """A goods item."""
    return f"""
      <GovernmentAgencyGoodsItem>
        <SequenceNumeric>{number}</SequenceNumeric>
        <StatisticalValueAmount currencyID="EUR">2600.00</StatisticalValueAmount>
        <AdditionalDocument>
          <CategoryCode>N</CategoryCode>
          <ID>INV-2026-17</ID>
          <TypeCode>935</TypeCode>
          <LPCOExemptionCode>AC</LPCOExemptionCode>
        </AdditionalDocument>
        <AdditionalInformation>
          <StatementCode>00500</StatementCode>
          <StatementDescription>IMPORTER</StatementDescription>
        </AdditionalInformation>
        <Commodity>
          <Description>Wireless headphones &amp; cases</Description>
          <Classification>
            <ID>{hs}</ID>
            <IdentificationTypeCode>TSP</IdentificationTypeCode>
          </Classification>
          <Classification>
            <ID>20</ID>
            <IdentificationTypeCode>TRC</IdentificationTypeCode>
          </Classification>
          <DutyTaxFee><DutyRegimeCode>100</DutyRegimeCode></DutyTaxFee>
          <GoodsMeasure>
            <GrossMassMeasure>{mass}</GrossMassMeasure>
            <NetNetWeightMeasure unitCode="KGM">100.0</NetNetWeightMeasure>
            <TariffQuantity unitCode="NAR">400</TariffQuantity>
          </GoodsMeasure>
          <InvoiceLine><ItemChargeAmount currencyID="EUR">2500.00</ItemChargeAmount></InvoiceLine>
        </Commodity>
        <CustomsValuation><MethodCode>1</MethodCode></CustomsValuation>
        <GovernmentProcedure><CurrentCode>40</CurrentCode><PreviousCode>00</PreviousCode></GovernmentProcedure>
        <Origin><CountryCode>{origin}</CountryCode></Origin>
        <Packaging>
          <SequenceNumeric>1</SequenceNumeric>
          <MarksNumbersID>ALFA 1/20</MarksNumbersID>
          <QuantityQuantity>20</QuantityQuantity>
          <TypeCode>CT</TypeCode>
        </Packaging>
        <PreviousDocument>
          <CategoryCode>Y</CategoryCode>
          <ID>XA-EXP-1</ID>
          <TypeCode>DCR</TypeCode>
          <LineNumeric>1</LineNumeric>
        </PreviousDocument>{extra}
      </GovernmentAgencyGoodsItem>"""


def declaration(
    items: str | None = None,
    lrn: str = "XC-2026-000001",
    head: str = "",
    shipment: str = "",
    container: str = "CSQU3054383",
    accepted: str = '<DateTimeString formatCode="304">20260301080000Z</DateTimeString>',
) -> str:
    """A bare declaration of the cast: Ana's firm in XA sends to Chipo's in XC."""
    return f"""<Declaration xmlns="{DEC}">
    <AcceptanceDateTime>{accepted}</AcceptanceDateTime>
    <FunctionCode>9</FunctionCode>
    <FunctionalReferenceID>{lrn}</FunctionalReferenceID>
    <InvoiceAmount currencyID="EUR">2500.00</InvoiceAmount>
    <TypeCode>IMA</TypeCode>
    <GoodsItemQuantity>1</GoodsItemQuantity>
    <TotalPackageQuantity>20</TotalPackageQuantity>{head}
    <Agent><ID>XC445566</ID><FunctionCode>2</FunctionCode></Agent>
    <AuthorisationHolder><ID>XC445566</ID><CategoryCode>AEOF</CategoryCode></AuthorisationHolder>
    <BorderTransportMeans>
      <ID>IMO9074729</ID>
      <RegistrationNationalityCode>XB</RegistrationNationalityCode>
      <ModeCode>1</ModeCode>
      <JourneyID>027E</JourneyID>
    </BorderTransportMeans>
    <Consignment>
      <Carrier><ID>XB777</ID><Name>Bravo Lines</Name></Carrier>
      <Itinerary><SequenceNumeric>1</SequenceNumeric><RoutingCountryCode>XB</RoutingCountryCode></Itinerary>
    </Consignment>
    <Declarant><ID>XC112233</ID></Declarant>
    <PresentationOffice><ID>XC000100</ID></PresentationOffice>
    <Exporter>
      <Name>Alfa Sound</Name>
      <ID>XA900100</ID>
      <Address>
        <CityName>Alfaville</CityName><CountryCode>XA</CountryCode><Line>1 Quay</Line><PostcodeID>A1</PostcodeID>
      </Address>
    </Exporter>
    {_shipment(item() if items is None else items, shipment, container)}
    <ObligationGuarantee><ID>G-1</ID><SecurityDetailsCode>1</SecurityDetailsCode></ObligationGuarantee>
  </Declaration>"""


def _shipment(items: str, more: str, container: str) -> str:
    return f"""<GoodsShipment>
      <TransactionNatureCode>11</TransactionNatureCode>
      <Consignee><Name>Chipo Trading</Name><ID>XC112233</ID></Consignee>
      <Consignment>
        <GoodsLocation><Name>XCPRT-7</Name><Address><CountryCode>XC</CountryCode></Address></GoodsLocation>
        <LoadingLocation><ID>XAPRT</ID></LoadingLocation>
        <TransportContractDocument><ID>BRAVO123</ID><TypeCode>704</TypeCode></TransportContractDocument>
        <TransportContractDocument><ID>HB-9</ID><TypeCode>714</TypeCode></TransportContractDocument>
        <TransportEquipment>
          <SequenceNumeric>1</SequenceNumeric>
          <ID>{container}</ID>
          <Seal><SequenceNumeric>1</SequenceNumeric><ID>SEAL-1</ID></Seal>
          <Seal><SequenceNumeric>2</SequenceNumeric><ID>SEAL-2</ID></Seal>
        </TransportEquipment>
        <UnloadingLocation><ID>XCPRT</ID></UnloadingLocation>
      </Consignment>
      <Destination><CountryCode>XC</CountryCode></Destination>
      <ExportCountry><ID>XA</ID></ExportCountry>{items}
      <Importer><Name>Chipo Trading</Name><ID>XC112233</ID></Importer>
      <TradeTerms><ConditionCode>CIF</ConditionCode><LocationID>XCPRT</LocationID></TradeTerms>
      <UCR><TraderAssignedReferenceID>6XA900100-17</TraderAssignedReferenceID></UCR>{more}
    </GoodsShipment>"""


def wrapped(document: str) -> str:
    """A document under MetaData."""
    return f"""<md:MetaData xmlns:md="{META}">
  <md:WCODataModelVersionCode>3.6</md:WCODataModelVersionCode>
  <md:WCOTypeName>DEC</md:WCOTypeName>
  {document}
</md:MetaData>"""


def manifest(parts: str | None = None, head: str = "") -> str:
    """A cargo report with two consignments."""
    return f"""<Declaration xmlns="urn:wco:datamodel:WCO:CRI-DMS:3">
  <FunctionCode>9</FunctionCode>
  <FunctionalReferenceID>XB-MAN-77</FunctionalReferenceID>{head}
  <BorderTransportMeans>
    <ID>IMO9074729</ID><ModeCode>1</ModeCode><JourneyID>027E</JourneyID>
    <ArrivalDateTime><DateTimeString formatCode="203">202603050600</DateTimeString></ArrivalDateTime>
  </BorderTransportMeans>
  <Carrier><ID>XB777</ID></Carrier>{PARTS if parts is None else parts}
  <UnloadingLocation><ID>XCPRT</ID></UnloadingLocation>
</Declaration>"""


PARTS = """
  <Consignment>
    <SequenceNumeric>1</SequenceNumeric>
    <TotalGrossMassMeasure unitCode="TNE">1.2</TotalGrossMassMeasure>
    <TotalPackageQuantity>20</TotalPackageQuantity>
    <Consignee><Name>Chipo Trading</Name></Consignee>
    <ConsignmentItem>
      <Commodity>
        <Description>Headphones</Description>
        <Classification><ID>8518.30</ID><IdentificationTypeCode>HS</IdentificationTypeCode></Classification>
      </Commodity>
    </ConsignmentItem>
    <Consignor><ID>XA900100</ID><Name>Alfa Sound</Name></Consignor>
    <LoadingLocation><ID>XAPRT</ID></LoadingLocation>
    <TransportContractDocument><ID>BRAVO123</ID><TypeCode>741</TypeCode></TransportContractDocument>
    <TransportEquipment><SequenceNumeric>1</SequenceNumeric><ID>CSQU3054383</ID></TransportEquipment>
    <UCR><ID>6XA900100-17</ID></UCR>
  </Consignment>
  <Consignment>
    <SequenceNumeric>2</SequenceNumeric>
    <Consignor><Name>Alfa Toys</Name></Consignor>
  </Consignment>"""
