"""Words of business documents in many languages, each under one English canonical word.

Labels on a page and property names of a schema are both reduced to these canonical words and compared as
sets; the tables below are therefore all the language knowledge the reader has. Spellings are folded (lower
case, no accents); `_` joins words that mean something only together.
"""

__all__ = ["MONTHS", "PHRASES", "STEMS"]

_WORDS: dict[str, str] = {
    # documents
    "invoice": "invoice invoices inv rechnung rechnungs rech facture factura fatura fattura fattura faktura faktury "
    "factuur laskun lasku fakturi arve racun szamla invoicing 請求書 发票 發票 인보이스 счет фактура",
    "receipt": "receipt quittung kassenbon bon recu recibo ricevuta scontrino paragon kassabon kvitto kvittering 영수증 收据",
    "order": "order orders bestellung bestell auftrags auftrag commande cde pedido encomenda ordine zamowienie zamowienia "
    "bestelling bestel opdracht po purchase_order ordre ordernr 注文 订单 주문 заказ",
    "quote": "quote quotation offer angebot angebots devis presupuesto preventivo offerte oferta orcamento",
    "delivery": "delivery delivered lieferung liefer livraison entrega consegna dostawa dostawy levering lever leverings "
    "shipment shipping ship dispatch versand expedition envio spedizione verzending despatch ddt lieferschein "
    "performance leistungs prestation supply service_period",
    "contract": "contract agreement vertrag vertrags contrat contrato contratto umowa umowy contract_no overeenkomst",
    "statement": "statement kontoauszug auszug releve extracto estratto wyciag rekeningafschrift extrato",
    "ticket": "ticket case incident vorgang",
    "document": "document dokument belegs beleg documento",
    "credit": "credit gutschrift avoir abono credito haben kredit",
    "debit": "debit soll debito debet lastschrift",
    # identifiers
    "number": "number numbers no nr num n nº n° # № nummer nummern numero numeros numer nro id ident identifier "
    "kennung kennzeichen kenn番号 番号 号码 编号 번호 номер ref reference referenz referencia riferimento referentie "
    "zeichen code codice codigo kod ids",
    "customer": "customer client kunde kunden klient klienta cliente klant klanten afnemer deb debitor debitoren kund asiakas",
    "supplier": "supplier service_provider provider contractor licensor lieferanten lieferant fournisseur proveedor fornitore dostawca leverancier fornecedor kreditor vendor",
    "project": "project projekt projet proyecto progetto",
    "account": "account konto compte cuenta conto rekening conta rachunek rachunku kto acct",
    "iban": "iban",
    "bic": "bic swift bic_swift",
    "vat": "vat ust ustid ust_id ust_idnr ustidnr uid uid_nr mwst umsatzsteuer umsatzsteueridentifikationsnummer tva iva btw "
    "partita_iva p_iva nip moms dph pdv gst hst pst qst mehrwertsteuer vat_no ust_nr",
    "tax": "tax taxes steuer steuern impuesto impuestos imposto imposta podatek podatku belasting taxe taxes 税 세금",
    # dates and times
    "date": "date dated datum data fecha dato datums dag dia giorno tag jour day pvm 日付 日期 날짜 дата",
    "time": "time zeit uhrzeit heure hora ora godzina tijd uhr when",
    "due": "due outstanding faellig faellige fallig falligkeit falligkeits faelligkeit faelligkeits falligkeitsdatum zahlbar zahlbar_bis "
    "zahlungsziel echeance vencimiento vencimento scadenza verval vervaldatum vervaldag termin_platnosci payable "
    "pay_by payment_due payment_deadline a_payer zahlungstermin zu_zahlen 支払期限 到期 deadline limite",
    "issue": "issue issued issuing ausstellung ausstellungs ausgestellt emission emision emissao emissione emitida wystawienia "
    "wystawiono datum_uitgifte created creation erstellt rechnungsstellung",
    "period": "period zeitraum abrechnungszeitraum abrechnungs periode periodo okres leistungszeitraum",
    "start": "start starts commence commences commencing effect takes_effect beginn von begin beginning debut inicio inizio from since ab effective commencement opening_date",
    "end": "end ends ende bis fin finish until to_date einde koniec expiry expires expiration expiring fine hasta "
    "closing_date through",
    "birth": "birth geburts geburtsdatum geboren naissance nacimiento nascita urodzenia geboorte geboortedatum dob born nascimento",
    "month": "month monat mois mes mese miesiac maand",
    "year": "year jahr annee ano anno rok jaar",
    # amounts
    "total": "total totals summe gesamt gesamtsumme endsumme rechnungssumme somme suma totale razem ogolem totaal som "
    "totaux grand_total tot 合計 总计 合计 합계 итого celkem yhteensa sammanlagt",
    "amount": "amount amounts betrag betrage montant importe importo kwota bedrag montante valor wert value valeur sum 金額 金额 금액 "
    "сумма belop summa",
    "net": "net netto ht hors_taxes hors_taxe imponible imponibile neto nettobetrag excl exkl excluding zwischensumme_netto "
    "untaxed ohne base_imponible sans_taxe before_tax without_tax excl_tax zonder",
    "gross": "gross brutto ttc toutes_taxes_comprises incl inkl including taxed bruttobetrag bruto inclusief tax_inclusive "
    "with_tax inc",
    "subtotal": "subtotal sub_total zwischensumme sous_total subtotale subtotaal zwischenbetrag warenwert",
    "balance": "balance saldo kontostand solde saldos openstaand stand",
    "opening": "opening anfangs anfangssaldo alter previous ancien inicial apertura poczatkowe begin_saldo beginsaldo "
    "brought_forward starting eroffnungs vorheriger",
    "closing": "closing end_saldo endsaldo schluss neuer nouveau final chiusura koncowe eindsaldo carried_forward ending "
    "abschluss schlusssaldo",
    "paid": "paid bezahlt gezahlt paye pagado pagato zaplacono betaald payments_received anzahlung acompte prepaid deposit "
    "tendered cash_paid",
    "payment": "payment zahl zahlung zahlungs paiement pago pagamento platnosc platnosci betaling betalings zahlungsbedingungen "
    "reglement pay",
    "method": "method art mode modalite metodo forma sposob wijze means methode weise",
    "terms": "terms conditions bedingungen condiciones condizioni warunki voorwaarden condicoes condition",
    "discount": "discount rabatt remise descuento sconto rabat korting desconto skonto nachlass",
    "rate": "rate satz taux tipo aliquota stawka tarief taxa percent prozent percentage",
    "price": "price preis prix precio prezzo cena prijs preco cost kosten unit_cost cout preise fee ep 単価 单价 단가 цена",
    "unit": "unit units einheit einheits einzel einzelpreis stuck stueck unite unitaire unidad unitario unita unitaria unite "
    "unitario jedn jednostkowa jm eenheid per_stuk stuksprijs each uom me einh 单位 unidade unitaire_ht",
    "quantity": "quantity qty quantite cantidad quantita ilosc menge mengen anzahl aantal quantidade qte cant stk hours "
    "stunden 数量 수량 количество kolicina qta antal maara pieces nombre",
    "ordered": "ordered bestellt commandee pedida ordinata",
    "currency": "currency wahrung waehrung devise moneda valuta waluta moeda munteenheid",
    "tip": "tip gratuity trinkgeld pourboire propina",
    "change": "change ruckgeld rendu cambio resto wechselgeld",
    "salary": "salary gehalt salaire salario salaris wage compensation pay_rate",
    "bonus": "bonus pramie prime",
    # items
    "description": "description beschreibung bezeichnung bezeichn artikelbezeichnung leistung designation descripcion descrizione "
    "opis omschrijving descricao libelle detail details product produkt produit producto prodotto produkt item items "
    "artikel article articulo articolo towar nazwa concept concepto text verwendungszweck buchungstext particulars "
    "transaction 品名 品目 摘要 项目 商品 품목 наименование denominazione buchung narrative nazwa_towaru goods activity "
    "service services benaming",
    "sku": "sku artikelnummer artikelnr art_nr part part_number item_code product_code mpn material gtin ean teile",
    "position": "position pos lfd poste poz posizione line row zeile ligne riga linea lp # lnr lineno regel",
    "instruction": "instruction instructions anweisung anweisungen instructions consignes instrucciones istruzioni",
    "note": "note notes bemerkung bemerkungen remark remarks comment comments hinweis anmerkung notas observaciones uwagi "
    "opmerking opmerkingen nota",
    # parties
    "seller": "seller vendor verkaufer verkaeufer vendeur vendedor venditore sprzedawca verkoper issuer emitter emetteur "
    "fornecedor cedente biller remit from_company rechnungssteller lieferant supplier_name cedente_prestatore merchant store "
    "shop company_name emisor 판매자 销售方 卖方 emittente aussteller",
    "buyer": "buyer kaufer kaeufer acheteur comprador acquirente nabywca koper bill_to billed_to sold_to invoice_to recipient "
    "rechnungsempfanger rechnungsempfaenger empfanger empfaenger destinataire destinatario odbiorca kupujacy ontvanger adresse_a "
    "facture_a facturer_a facturado_a client_name rechnungsanschrift rechnungsadresse cessionario billing "
    "billing_address adquirente factuuradres factureren_aan 购买方 買方 invoiced_to charge_to purchaser issued_to",
    "receiver": "ship_to shipped_to deliver_to delivery_address lieferadresse lieferanschrift consignee adresse_de_livraison "
    "shipping_address afleveradres versandadresse livrer_a",
    "sender": "sender absender expediteur remitente mittente nadawca afzender shipper",
    "payee": "payee zahlungsempfanger beneficiary begunstigter beneficiaire",
    "payer": "payer zahler auftraggeber zahlungspflichtiger",
    "holder": "holder inhaber kontoinhaber titulaire titular intestatario wlasciciel rekeninghouder account_name",
    "bank": "bank banque banco banca bankverbindung kreditinstitut",
    "company": "company firma unternehmen societe empresa azienda spolka bedrijf entreprise organisation organization employer "
    "ragione_sociale arbeitgeber org gesellschaft societa razon_social 회사 公司 会社",
    "party": "party parties partei parteien partie parte",
    "contact": "contact ansprechpartner kontakt contacto contatto contactpersoon kontaktperson bearbeiter sachbearbeiter "
    "attention attn zhd",
    "name": "name nom nombre nome naam nazwisko_imie names vollstandiger full_name 氏名 姓名 이름 имя imie_i_nazwisko",
    "first": "first vorname prenom given given_name forename imie voornaam primeiro first_name nombre_de_pila",
    "last": "last nachname familienname surname family family_name apellido apellidos cognome nazwisko achternaam sobrenome "
    "last_name nom_de_famille zuname",
    "person": "person personne persona osoba persoon",
    "address": "address adresse anschrift direccion indirizzo adres endereco addresse adresa sitz 住所 地址 주소 адрес",
    "street": "street strasse str rue calle via ulica straat rua road avenue street_address",
    "city": "city ort stadt ville ciudad citta miasto plaats cidade town wohnort stad gemeente miejscowosc",
    "postcode": "postcode postal zip plz code_postal codigo_postal cap kod_pocztowy zipcode zip_code postal_code postleitzahl cp",
    "state": "state province bundesland provincia region wojewodztwo",
    "country": "country land pays pais paese kraj nation",
    "phone": "phone telephone telefon tel telefono telefoon mobile mobil handy telefone fon fono cell portable gsm tlf puhelin "
    "telefonnummer phone_number ph 電話 电话 전화",
    "fax": "fax telefax",
    "email": "email mail e_mail courriel correo mailadresse emailadresse mailto posta",
    "website": "website web url homepage internet www site webseite link",
    # mail, tickets
    "subject": "subject betreff betrifft objet asunto oggetto temat onderwerp assunto re 件名 主题 제목",
    "sent": "sent gesendet envoye enviado inviato",
    "from": "from van",
    "to": "to an aan para",
    "cc": "cc kopie copie",
    "attachment": "attachment attachments anhang anhange anlage anlagen piece_jointe pieces_jointes adjunto allegato bijlage "
    "enclosure enclosures",
    "body": "body message nachricht content inhalt",
    "priority": "priority prioritat prioritaet priorite prioridad priorita priorytet prioriteit urgency severity dringlichkeit "
    "impact",
    "status": "status zustand statut estado stato stan state_of",
    "category": "category kategorie categorie categoria kategoria type typ topic class",
    "summary": "summary profile profil perfil zusammenfassung resume_of abstract overview resumen riassunto",
    "title": "title titel titre titulo titolo tytul heading",
    "requester": "requester reporter reported_by requested_by submitted_by opened_by requestor antragsteller caller user",
    "assignee": "assignee assigned assigned_to agent owner bearbeitet",
    "system": "system product_name application software hardware device gerat environment",
    "version": "version release build",
    "tag": "tag tags labels keyword keywords schlagworter",
    # people
    "headline": "headline tagline profession beruf job_title position_title occupation function funktion",
    "role": "role rolle jobtitle",
    "experience": "experience work berufserfahrung erfahrung werdegang employment experiencia esperienza doswiadczenie "
    "werkervaring career positions jobs berufspraxis beschaftigung professional_experience lavoro emploi",
    "education": "education ausbildung bildung studium formation educacion formacion istruzione formazione edukacja wyksztalcenie "
    "opleiding opleidingen schulbildung academic qualifications studies degrees",
    "institution": "institution university school hochschule universitat college ecole universidad universita uczelnia "
    "universiteit schule institute",
    "degree": "degree abschluss diplome titulo_academico laurea diploma qualification titulacion stopien diplom",
    "skill": "skill skills kenntnisse fahigkeiten competences habilidades competenze umiejetnosci vaardigheden competencias "
    "technologies expertise kompetenzen tools",
    "language": "language languages sprachen sprache sprachkenntnisse langue langues idioma idiomas lingua lingue jezyk jezyki taal "
    "talen linguas",
    "certification": "certification certifications zertifikate certificates certificate licenses zertifizierungen",
    "publication": "publication publications papers veroffentlichungen",
    "award": "award awards honors honours auszeichnungen prizes",
    "interest": "interest interests hobbies hobbys interessen",
    "nationality": "nationality nationalitat staatsangehorigkeit nationalite nacionalidad",
    "sex": "sex gender geschlecht sexe sexo sesso plec geslacht",
    "age": "age alter_jahre edad eta wiek leeftijd",
    # medicine
    "patient": "patient patientin paciente paziente pacjent",
    "doctor": "doctor physician arzt arztin medecin medico lekarz ordering_physician provider clinician ordering referring "
    "requesting einsender",
    "laboratory": "laboratory lab labor laboratoire laboratorio laboratorium",
    "test": "test tests analyse analysis untersuchung analyte parameter prueba esame badanie examen onderzoek assay",
    "result": "result results ergebnis resultat resultats resultado risultato wynik uitslag messwert befund finding",
    "range": "range referenzbereich reference_range ref_range reference_interval normbereich normal_range valeurs_de_reference "
    "referentiewaarden interval",
    "flag": "flag flags abnormal kennz markierung",
    "specimen": "specimen sample probe material_type echantillon muestra campione probe",
    "collected": "collected collection entnahme drawn abnahme taken prelevement",
    "received": "received eingang eingegangen recu_le recibido ricevuto ontvangen",
    "reported": "reported report befunddatum bericht",
    "dose": "dose dosis dosierung dosage strength",
    "insurance": "insurance versicherung versicherungs versicherten versichertennummer assurance seguro krankenkasse policy",
    "allergy": "allergy allergies allergien allergie alergias",
    "diagnosis": "diagnosis diagnose diagnostic",
    "smoker": "smoker raucher fumeur fumador",
    # contracts, events
    "law": "law recht gerichtsstand droit ley legge prawo governing jurisdiction governing_law",
    "termination": "termination kundigung kundigungsfrist notice resiliation terminacion recesso notice_period",
    "term": "term laufzeit duration dauer duree duracion durata initial_term",
    "renewal": "renewal renews verlangerung auto_renewal automatic_renewal reconduction renew",
    "signed": "signed signature unterzeichnet unterschrift signature_date executed sign",
    "event": "event veranstaltung evenement evento wydarzenie evenement conference",
    "venue": "venue location place veranstaltungsort lieu lugar luogo miejsce locatie where room raum standort",
    "organizer": "organizer organiser veranstalter organisateur organizador organizzatore host hosted presented_by organisator",
    "speaker": "speaker speakers referent referenten redner vortragender orateur ponente relatore lecturer presenter talk_by who "
    "sprecher keynote",
    "audience": "audience zielgruppe publikum",
    "registration": "registration anmeldung inscription register rsvp registro iscrizione",
    "capacity": "capacity plaetze kapazitat seats",
    "free": "free kostenlos gratuit gratis",
    "weight": "weight gewicht poids peso waga gewicht",
    "package": "package packages packstucke colli colis bultos parcels cartons pallets packung",
    "carrier": "carrier spediteur transporteur transportista vettore frachtfuhrer shipped_via ship_via versandart",
    "tracking": "tracking sendungsnummer track",
    "cashier": "cashier kassierer bediener caissier cajero served_by server clerk",
    "card": "card karte carte tarjeta carta kaart",
    "author": "author authors autor autoren auteur autore inventor inventors",
    "publisher": "publisher verlag editeur",
    "source": "source quelle",
    "location": "location_name",
    "purpose": "purpose zweck reason grund betreff_zweck",
    "value_date": "value_date valuta wert_datum valutadatum date_de_valeur",
    "department": "department abteilung service_department departement",
    "level": "level niveau stufe nivel livello poziom",
    "link": "linkedin github",
}

STEMS: dict[str, str] = {}
PHRASES: dict[tuple[str, ...], str] = {}
for _canonical, _spellings in _WORDS.items():
    for _spelling in (_canonical, *_spellings.split()):
        if "_" in _spelling and _spelling != "_":
            PHRASES.setdefault(tuple(_spelling.split("_")), _canonical)
        else:
            STEMS.setdefault(_spelling, _canonical)

MONTHS: dict[str, int] = {}
for _number, _names in enumerate(
    (
        "january jan januar janner jaenner janvier janv enero ene gennaio gen styczen stycznia sty januari janeiro leden ledna tammikuu",
        "february feb februar fevrier fevr fev febrero febbraio luty lutego lut februari fevereiro unor unora",
        "march mar marz maerz mrz mars marzo marzec marca maart mrt marco brezen brezna",
        "april apr avril avr abril abr aprile kwiecien kwietnia kwi duben dubna",
        "may mai mayo maggio mag maj maja mei maio kveten kvetna",
        "june jun juni juin junio giugno giu czerwiec czerwca cze junho cerven cervna",
        "july jul juli juillet juil julio luglio lug lipiec lipca lip julho cervenec cervence",
        "august aug aout agosto ago sierpien sierpnia sie augustus srpen srpna",
        "september sep sept septembre septiembre settembre set wrzesien wrzesnia wrz setembro zari",
        "october oct oktober okt octobre octubre ottobre ott pazdziernik pazdziernika paz outubro out rijen rijna",
        "november nov novembre noviembre listopad listopada lis novembro",
        "december dec dezember dez decembre diciembre dic dicembre grudzien grudnia gru dezembro prosinec prosince desember",
    ),
    1,
):
    for _spelling in _names.split():
        MONTHS.setdefault(_spelling, _number)
