/** A column of a file that Muster reads. A name in two columns is put together. */
export const columnKinds = ['address', 'displayName', 'givenName', 'familyName', 'dailyLimit', 'reference'] as const;
export type ColumnKind = (typeof columnKinds)[number];

/**
 * The accepted headers of each kind of column, in normalized form and in order of preference. When an export has several
 * address columns, Exchange's primary address comes first: Graph finds the mailbox by it, even if the sign-in name
 * differs.
 *
 * In English, German, French, Spanish, Dutch and Italian, as these programs write them: Exchange and the Microsoft 365
 * admin center, Outlook, Excel, Google Workspace and Contacts, HubSpot, Salesforce, Zoho.
 */
export const headerAliases: Record<ColumnKind, readonly string[]> = {
  address: [
    ...['primarysmtpaddress', 'primarysmtp', 'primaresmtpadresse', 'adressesmtpprincipale'],
    ...['direccionsmtpprincipal', 'primairsmtpadres', 'indirizzosmtpprimario'],
    ...['primaryemailaddress', 'primaryemail', 'primareemailadresse', 'primareemail'],
    ...['emailaddress', 'email', 'emailid', 'mailaddress', 'mail', 'smtpaddress', 'smtp', 'mailboxaddress'],
    ...['workemail', 'workemailaddress', 'businessemail', 'useremail', 'contactemail', 'companyemail'],
    ...['emailaddress1', 'email1', 'email1value', 'email1address', 'address', 'mailbox'],
    ...['emailadresse', 'mailadresse', 'geschaftlicheemailadresse', 'email1wert', 'smtpadresse', 'postfach'],
    ...['adresseemail', 'adressemail', 'adressedemessagerie', 'adressedecourriel', 'adresseelectronique'],
    ...['courriel', 'courrierelectronique', 'messagerie', 'adressesmtp', 'boiteauxlettres'],
    ...['direcciondecorreoelectronico', 'direcciondecorreo', 'direcciondeemail', 'correoelectronico', 'correo'],
    ...['direccionsmtp', 'buzon', 'buzondecorreo'],
    ...['emailadres', 'mailadres', 'smtpadres', 'postvak', 'postbus'],
    ...['indirizzoemail', 'indirizzodipostaelettronica', 'indirizzodiposta', 'postaelettronica'],
    ...['adresse', 'windowsemailaddress', 'windowsliveid', 'microsoftonlineservicesid'],
    ...['userprincipalname', 'benutzerprinzipalname', 'nomdutilisateurprincipal', 'nomprincipaldelutilisateur'],
    ...['nombreprincipaldeusuario', 'nombreprincipaldelusuario', 'nomeprincipaleutente', 'upn'],
    ...['username', 'benutzername', 'anmeldename', 'nomdutilisateur', 'nombredeusuario', 'gebruikersnaam'],
    ...['nomeutente', 'signinname', 'login', 'loginname'],
  ],
  displayName: [
    ...['displayname', 'fullname', 'contactname'],
    ...['anzeigename', 'vollstandigername'],
    ...['nomdaffichage', 'nomcomplet', 'nomaffiche'],
    ...['nombreparamostrar', 'nombrecompleto'],
    ...['weergavenaam', 'volledigenaam'],
    ...['nomevisualizzato', 'nomecompleto'],
    ...['name', 'nom', 'nombre', 'naam', 'nome'],
  ],
  givenName: [
    ...['givenname', 'firstname', 'forename', 'vorname', 'prenom', 'nombredepila', 'voornaam'],
    // Spanish and Italian call it just "name".
    ...['nombre', 'nome'],
  ],
  familyName: [
    ...['familyname', 'lastname', 'surname', 'nachname', 'familienname', 'nomdefamille'],
    ...['apellidos', 'apellido', 'achternaam', 'cognome'],
    // German, French and Dutch do that with this one.
    ...['name', 'nom', 'naam'],
  ],
  dailyLimit: [
    ...['dailylimit', 'dailysendlimit', 'dailysendinglimit', 'dailyemaillimit', 'limitperday', 'maxperday'],
    ...['emailsperday', 'messagesperday', 'sendlimit', 'sendinglimit', 'limit'],
    ...['tageslimit', 'taglicheslimit', 'limitprotag', 'maxprotag', 'versandlimit', 'tagesgrenze'],
    ...['limitequotidienne', 'limitejournaliere', 'limiteparjour', 'maxparjour'],
    ...['limitediario', 'limitepordia', 'maximopordia'],
    ...['daglimiet', 'dagelijkselimiet', 'limietperdag', 'maxperdag'],
    ...['limitegiornaliero', 'limite', 'limiet'],
  ],
  reference: [
    ...['reference', 'ref', 'externalreference', 'externalid', 'customerreference', 'customerid', 'crmid'],
    ...['recordid', 'contactid', 'employeeid', 'employeenumber'],
    ...['referenz', 'kundennummer', 'personalnummer', 'mitarbeiternummer'],
    ...['referenceclient', 'numeroclient', 'matricule'],
    ...['referencia', 'numerodecliente', 'numerodeempleado'],
    ...['referentie', 'kenmerk', 'klantnummer', 'personeelsnummer'],
    ...['riferimento', 'codicecliente'],
  ],
};

/** Names of a person that a file may use for the whole name or for a part of it. */
export const bareNames: ReadonlySet<string> = new Set(['name', 'nom', 'nombre', 'naam', 'nome']);

const NORMALIZED_MAX_LENGTH = 100;

/**
 * Removes case, accents, whitespace and punctuation, and what is in brackets. `E-Mail Address [Required]` becomes
 * `emailaddress`.
 */
export function normalizeHeader(header: string): string {
  return header
    .slice(0, NORMALIZED_MAX_LENGTH)
    .replace(/\[[^\]]*\]|\([^)]*\)/g, '')
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
}
