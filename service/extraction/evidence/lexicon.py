"""What the labels of documents say for the names that schemas use, as data: one idea a line, in many languages.

A line holds words that stand for one another; words of one script are set apart by spaces. Only single words: a label
of several words is found by any of them. No value is ever accepted because of a label: labels choose between places.
"""

from service.extraction.evidence.folding import key

_IDEAS = """
total sum grand gesamt gesamtbetrag summe totale totaal razem suma celkem összesen toplam итого всего σύνολο итог 合計 総額 总计 總計 合计 합계 총액 المجموع الإجمالي סהכ कुल รวม tổng jumlah endbetrag rechnungsbetrag importe montant
gross brutto incl inkl inclusief rechnungsbetrag endbetrag ttc bruto lordo 税込 含税 مع
net netto ohne excl exclusief exkl untaxed hors without ht neto imponibile 税抜 未税 공급가액 nettobetrag
subtotal zwischensumme positionssumme warenwert sous-total subtotaal net netto 小計 小计 소계
tax vat mwst ust umsatzsteuer tva iva btw moms mva podatek dph áfa kdv ндс φπα 消費税 税額 税额 增值税 부가세 세액 ضريبة מעמ gst steuer taxes impuesto imposta imposto
date datum dated fecha data dato päivämäärä dátum tarih дата ημερομηνία 日付 日期 날짜 일자 التاريخ תאריך तारीख วันที่ ngày tanggal day jour
due zahlbar zahlbetrag zahlungsbetrag restbetrag offen payable fällig fälligkeit échéance vencimiento scadenza vencimento vervaldatum termin splatnost son vade срок 支払期限 期日 到期 납기 الاستحقاق before payable
issue issued issuance invoice rechnungsdatum ausgestellt ausstellungsdatum émission emisión emissione emissão factuurdatum 発行日 開票 开票 발행일 إصدار
invoice rechnung facture factura fattura fatura faktura factuur számla счет счёт τιμολόγιο 請求書 发票 發票 계산서 송장 فاتورة חשבונית bill inv rechnungsnummer rechnungsnr
number no nr num numero número nummer № # ref id num numer číslo szám номер αριθμός 番号 号码 編號 编号 번호 رقم מספר संख्या เลขที่ số nomor code reference identifier kennung zeichen
order bestellung auftrag commande pedido ordine bestelling zamówienie objednávka заказ 注文 订单 訂單 주문 طلب bestellnummer auftragsnummer po purchase
customer kunde client cliente klant klient zákazník ügyfél müşteri клиент покупатель お客様 客户 客戶 고객 عميل kundennummer kundennr kdnr
seller supplier vendor from issuer merchant company lieferant verkäufer fournisseur vendeur proveedor vendedor emisor fornitore verkoper leverancier sprzedawca dodavatel eladó satıcı продавец поставщик 販売者 売主 销售方 卖方 공급자 판매자 البائع aussteller provider
buyer recipient bill-to to käufer empfänger rechnungsempfänger acheteur destinataire comprador destinatario acquirente koper nabywca odběratel vevő alıcı покупатель 買主 购买方 買方 구매자 공급받는자 المشتري billed kunde customer sold
ship delivery delivered lieferung lieferdatum livraison entrega consegna levering dostawa dodání szállítás teslimat доставка 納品 交货 납품 التسليم leistungsdatum shipping
name nom nombre nome naam nazwa jméno név ad isim имя название όνομα 氏名 名前 名称 姓名 이름 성명 상호 الاسم שם नाम ชื่อ tên nama firma full holder inhaber
first given forename vorname prénom prenom nombre voornaam imię křestní keresztnév имя όνομα 名 이름
last surname family nachname nom apellido apellidos cognome achternaam nazwisko příjmení soyadı фамилия επώνυμο 姓 성
address adresse anschrift dirección indirizzo endereço adres cím адрес διεύθυνση 住所 地址 주소 العنوان כתובת पता ที่อยู่ địa alamat location ort venue place where
street straße strasse rue calle via rua straat ulica ulice utca sokak улица 通り 街道 도로명
city town ort stadt ville ciudad città cidade plaats miasto město város şehir город 市 都市 城市 도시 المدينة
postcode zip postal plz cp cap cep postleitzahl kod irányítószám индекс 郵便番号 邮编 우편번호
country land pays país paese kraj země ország ülke страна 国 国家 국가 البلد
quantity qty menge anzahl quantité cantidad quantità quantidade aantal ilość množství mennyiség miktar количество кол-во 数量 數量 수량 الكمية כמות मात्रा จำนวน qté stück hours units pcs
price unit rate einzelpreis stückpreis preis prix precio prezzo preço prijs cena ár fiyat цена τιμή 単価 单价 單價 단가 السعر מחיר मूल्य ราคา each unitario unitaire ep
amount betrag montant importe importo valor bedrag kwota částka összeg tutar сумма ποσό 金額 金额 금액 المبلغ סכום राशि line value gesamt
description beschreibung bezeichnung désignation libellé descripción concepto descrizione descrição omschrijving opis popis megnevezés açıklama описание наименование περιγραφή 摘要 品名 品目 内容 描述 적요 품목 내역 الوصف תיאור विवरण item product artikel article text buchungstext verwendungszweck details memo narrative particulars
discount rabatt remise descuento sconto desconto korting rabat sleva kedvezmény indirim скидка 割引 折扣 할인 خصم skonto
percent rate % satz taux tipo aliquota taxa stawka sazba kulcs oran ставка 率 税率 세율
balance saldo solde kontostand stand zůstatek egyenleg bakiye остаток баланс 残高 余额 餘額 잔액 الرصيد יתרה
opening start begin initial anfangssaldo alter vortrag ancien inicial iniziale 期首 期初 繰越 brought forward previous
closing end final ending endsaldo neuer nouveau final finale 期末 carried current
period zeitraum période período periodo okres období időszak dönem период 期間 期间 기간 von bis from to statement
account konto compte cuenta conto conta rekening účet számla hesap счет 口座 账户 帳戶 계좌 حساب
iban bic bank banco banque kontonummer
phone telephone tel telefon téléphone teléfono telefono telefone telefoon telefonszám телефон τηλέφωνο 電話 电话 전화 هاتف טלפון फोन โทร mobile handy fon mob
email mail e-mail correo courriel почта メール 邮箱 电子邮件 이메일
currency währung devise moneda valuta moeda waluta měna pénznem валюта 通貨 货币 통화 العملة
birth born geburtsdatum geboren geb naissance nacimiento nascita nascimento geboortedatum urodzenia narození születési doğum рождения 生年月日 出生 생년월일 الميلاد dob
sex gender geschlecht sexe sexo sesso geslacht płeć 性別 性别 성별
age alter âge edad età leeftijd wiek věk 年齢 年龄 나이
weight gewicht poids peso masa váha súly ağırlık вес 重量 중량
vat-id ustid ust-idnr uid tax-id steuernummer siren siret nif cif nip dič adószám инн 税号 사업자등록번호
dose dosage mg dosis posologie ml strength
speaker presenter lecturer who talk sprecher redner
start begin beginn début inicio inizio início von from since 開始 开始 시작
end ende fin fine fim bis until to 終了 结束 종료
time uhrzeit heure hora ora hour when uhr 時間 时间 시간
title subject betreff titel titre título titolo assunto oggetto onderwerp tytuł předmět tárgy konu тема заголовок 件名 标题 제목 الموضوع position role job
education university degree school ausbildung studium formation formación istruzione 学歴 教育 학력
work experience employment employer career beruf berufserfahrung emploi experiencia esperienza 職歴 工作 경력
skills kenntnisse fähigkeiten compétences habilidades competenze スキル 技能 기술
language sprachen langues idiomas lingue 言語 语言 언어
page seite pagina page página strona 頁 页
"""


def _table() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for line in _IDEAS.strip().split("\n"):
        words = {folded for word in line.split() if (folded := key(word))}
        for word in words:
            found.setdefault(word, set()).update(words)
    return {word: frozenset(words) for word, words in found.items()}


SYNONYMS = _table()
"""The key of a word → the keys of the words that labels may have in its place, itself included."""
