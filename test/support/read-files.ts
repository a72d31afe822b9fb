// How the files of test/fixtures/files are read.

/** `undefined` at the end is left out. A rejected row has its code. */
export type ExpectedRow = [
  line: number,
  addressOrCode: string,
  displayName?: string | undefined,
  dailyLimit?: number | undefined,
  reference?: string | undefined,
];
/** The encoding and the separator, or the sheet; the columns that are used; the rows. */
export type ReadFile = [how: string, used: string, rows: ExpectedRow[]];

export const readFiles: Record<string, ReadFile> = {
  'addresses-only-utf16.txt': [
    'utf-16le ,',
    'column 1',
    [
      [1, 'jane.doe@contoso.com'],
      [2, 'bob@contoso.com'],
    ],
  ],
  'addresses-only.txt': [
    'utf-8 ,',
    'column 1',
    [
      [1, 'jane.doe@contoso.com'],
      [2, 'bob@contoso.com'],
      [3, 'carol@contoso.com'],
    ],
  ],
  'addresses-only.xlsx': [
    'sheet Sheet',
    'column 1',
    [
      [1, 'jane.doe@contoso.com'],
      [2, 'bob@contoso.com'],
    ],
  ],
  'database-pipes.csv': [
    'utf-8 |',
    'email | name | limit | external_id',
    [[2, 'jane.doe@contoso.com', 'Doe, Jane', 50, '00042']],
  ],
  'entra-users.csv': ['utf-8 ,', 'mail | displayName', [[2, 'jane.doe@contoso.com', 'Jane Doe']]],
  'excel-de-utf8.csv': [
    'utf-8 ;',
    'E-Mail | Vollständiger Name | Limit pro Tag',
    [[2, 'juergen.gross@contoso.com', 'Jürgen Groß', 50]],
  ],
  'excel-de.csv': [
    'windows-1252 ;',
    'E-Mail-Adresse | Anzeigename | Tageslimit',
    [
      [2, 'juergen.gross@contoso.com', 'Jürgen Groß', 50],
      [3, 'zoe.mueller@contoso.com', 'Müller; Zoë'],
    ],
  ],
  'excel-en-us.csv': [
    'utf-8 ,',
    'Email | Display Name | Daily Limit',
    [
      [2, 'jane.doe@contoso.com', 'Doe, Jane', 100],
      [3, 'bob@contoso.com', 'Bob "the builder"'],
    ],
  ],
  'excel-en-utf8.csv': [
    'utf-8 ,',
    'Email | Display Name | Daily Limit',
    [
      [2, 'jane.doe@contoso.com', 'Jané Doe', 100],
      [3, 'bob@contoso.com', 'Ζωή 😀'],
    ],
  ],
  'excel-es.csv': [
    'windows-1252 ;',
    'Correo electrónico | Nombre + Apellidos | Límite diario',
    [
      [2, 'nuria.pena@contoso.com', 'Núria Peña García', 40],
      [3, 'jose.nunez@contoso.com', 'Mª José Núñez'],
    ],
  ],
  'excel-fr.csv': [
    'windows-1252 ;',
    'Adresse de messagerie | Nom complet | Limite quotidienne',
    [
      [2, 'renee.lhotel@contoso.com', 'Renée L’Hôtel', 25],
      [3, 'chloe.lefevre@contoso.com', 'Chloé Lefèvre – Ventes'],
    ],
  ],
  'excel-it.csv': [
    'windows-1252 ;',
    'Indirizzo e-mail | Nome + Cognome | Limite giornaliero',
    [
      [2, 'nicolo.rossi@contoso.com', 'Nicolò Rossi', 10],
      [3, 'bob@contoso.com'],
    ],
  ],
  'excel-mac-1252.csv': [
    'windows-1252 ;',
    'Email | Name',
    [
      [2, 'jose@contoso.com', 'José Müller'],
      [3, 'bob@contoso.com', 'Bob'],
    ],
  ],
  'excel-nl.csv': [
    'windows-1252 ;',
    'E-mailadres | Weergavenaam | Daglimiet | Kenmerk',
    [
      [2, 'ines.de.vries@contoso.com', 'Inès de Vries', 30, 'K-17'],
      [3, 'bob@contoso.com', 'Bob'],
    ],
  ],
  'excel-sep.csv': ['utf-8 ;', 'E-Mail | Name', [[3, 'jane.doe@contoso.com', 'Jane, the first']]],
  'excel-unicode-text.txt': [
    'utf-16le \t',
    'Email | Name | Tägliches Limit',
    [
      [2, 'juergen.gross@contoso.com', 'Groß, Jürgen', 50],
      [3, 'zoe@contoso.com', 'Ζωή'],
    ],
  ],
  'excel.xlsx': [
    'sheet Postfächer',
    'E-Mail-Adresse | Anzeigename | Tageslimit | Kundennummer',
    [
      [2, 'juergen.gross@contoso.com', 'Jürgen Groß', 50, '00042'],
      [3, 'zoe@contoso.com', 'Zoë', 25, '2026-11-21'],
      [6, 'carol@contoso.com', 'two lines'],
    ],
  ],
  'exchange-admin-center-de.csv': [
    'utf-8 ,',
    'E-Mail-Adresse | Anzeigename',
    [[2, 'juergen.gross@contoso.com', 'Jürgen Groß']],
  ],
  'exchange-admin-center.csv': [
    'utf-8 ,',
    'Email address | Display name',
    [
      [2, 'jane.doe@contoso.com', 'Jane Doe'],
      [3, 'info@contoso.com', 'Info'],
    ],
  ],
  'exchange-all-properties.csv': [
    'utf-8 ,',
    'PrimarySmtpAddress | DisplayName',
    [
      [2, 'jane.doe@contoso.com', 'Jane Doe'],
      [4, 'bob@contoso.com', 'Bob'],
    ],
  ],
  'exchange-out-file.csv': [
    'utf-16le ,',
    'PrimarySmtpAddress | DisplayName',
    [[2, 'juergen.gross@contoso.com', 'Jürgen Groß']],
  ],
  'exchange-powershell-5-culture-de.csv': [
    'windows-1252 ;',
    'PrimarySmtpAddress | Name',
    [[3, 'juergen.gross@contoso.com', 'Groß, Jürgen']],
  ],
  'exchange-powershell-5-utf8.csv': [
    'utf-8 ,',
    'PrimarySmtpAddress | DisplayName',
    [[3, 'juergen.gross@contoso.com', 'Jürgen Groß']],
  ],
  'exchange-powershell-5.csv': [
    'utf-8 ,',
    'PrimarySmtpAddress | DisplayName',
    [
      [3, 'juergen.gross@contoso.com', 'J?rgen Gro?'],
      [4, 'sales@contoso.com', 'Sales'],
    ],
  ],
  'exchange-powershell-7-quotes-as-needed.csv': [
    'utf-8 ,',
    'PrimarySmtpAddress | DisplayName',
    [[2, 'juergen.gross@contoso.com', 'Groß, Jürgen']],
  ],
  'exchange-powershell-7.csv': [
    'utf-8 ,',
    'PrimarySmtpAddress | DisplayName',
    [
      [2, 'juergen.gross@contoso.com', 'Jürgen Groß'],
      [3, 'room1@contoso.com', 'Room 1'],
    ],
  ],
  'formulas.csv': [
    'utf-8 ,',
    'email | name',
    [
      [2, 'jane.doe@contoso.com', '=HYPERLINK("http://x.example","Jane")'],
      [3, 'bob@contoso.com', '+49 30 1234'],
    ],
  ],
  'google-contacts-old.csv': ['utf-8 ,', 'E-mail 1 - Value | Name', [[2, 'jane.doe@contoso.com', 'Jane Doe']]],
  'google-contacts.csv': [
    'utf-8 ,',
    'E-mail 1 - Value | First Name + Last Name',
    [[2, 'jane.doe@contoso.com', 'Jane Doe']],
  ],
  'google-sheets.csv': [
    'utf-8 ,',
    'Email | Name',
    [
      [2, 'jane.doe@contoso.com', 'Jané'],
      [3, 'bob@contoso.com', 'Bob'],
    ],
  ],
  'google-sheets.tsv': [
    'utf-8 \t',
    'Email | Name',
    [
      [2, 'jane.doe@contoso.com', 'Jané, "the" first'],
      [3, 'bob@contoso.com', 'Bob'],
    ],
  ],
  'google-workspace-users.csv': [
    'utf-8 ,',
    'Email Address [Required] | First Name [Required] + Last Name [Required] | Employee ID',
    [[2, 'juergen.gross@contoso.com', 'Jürgen Groß', undefined, '4711']],
  ],
  'hubspot-contacts.csv': [
    'utf-8 ,',
    'Email | First Name + Last Name | Record ID',
    [
      [2, 'juergen.gross@contoso.com', 'Jürgen Groß', undefined, '151'],
      [3, 'bob@contoso.com', 'Bob', undefined, '152'],
    ],
  ],
  'libreoffice-1252.csv': [
    'windows-1252 ;',
    'E-Mail | Anzeigename | Tageslimit',
    [
      [2, 'juergen.gross@contoso.com', 'Jürgen Groß', 50],
      [3, 'zoe@contoso.com', 'Zoë, "die Erste"'],
    ],
  ],
  'libreoffice-utf8.csv': [
    'utf-8 ;',
    'E-Mail | Anzeigename | Tageslimit',
    [
      [2, 'juergen.gross@contoso.com', 'Jürgen Groß', 50],
      [3, 'zoe@contoso.com', 'Zoë, "die Erste"'],
    ],
  ],
  'libreoffice.xlsx': [
    'sheet Tabelle1',
    'E-Mail | Anzeigename | Tageslimit',
    [
      [2, 'juergen.gross@contoso.com', 'Jürgen Groß', 50],
      [3, 'zoe@contoso.com', 'Zoë, "die Erste"'],
    ],
  ],
  'm365-admin-center-es.csv': [
    'utf-8 ,',
    'Nombre principal de usuario | Nombre para mostrar',
    [[2, 'nuria.pena@contoso.com', 'Núria Peña']],
  ],
  'm365-admin-center-fr.csv': [
    'utf-8 ,',
    'Nom d’utilisateur principal | Nom d’affichage',
    [[2, 'renee.lhotel@contoso.com', "Renée L'Hôtel"]],
  ],
  'm365-admin-center.csv': [
    'utf-8 ,',
    'User principal name | Display name',
    [[2, 'juergen.gross@contoso.com', 'Jürgen Groß']],
  ],
  'names-in-addresses.csv': [
    'utf-8 ,',
    'email',
    [
      [2, 'jane.doe@contoso.com', 'Jane Doe'],
      [3, 'bob@contoso.com', 'Doe, Bob'],
      [4, 'carol@contoso.com'],
    ],
  ],
  'numbers.csv': [
    'utf-8 ;',
    'E-Mail | Name | Tageslimit',
    [
      [3, 'juergen.gross@contoso.com', 'Jürgen Groß', 50],
      [4, 'bob@contoso.com', 'Bob'],
    ],
  ],
  'openpyxl.xlsx': [
    'sheet Mailboxes',
    'Email | First name + Last name',
    [
      [4, 'jane.doe@contoso.com', 'Jane Doe'],
      [5, 'address_malformed'],
    ],
  ],
  'outlook-contacts-de.csv': [
    'windows-1252 ;',
    'E-Mail-Adresse | Vorname + Nachname',
    [[2, 'juergen.gross@contoso.com', 'Jürgen Groß']],
  ],
  'outlook-contacts.csv': [
    'windows-1252 ,',
    'E-mail Address | First Name + Last Name',
    [[2, 'juergen.gross@contoso.com', 'Jürgen Groß']],
  ],
  'outlook-recipients.txt': [
    'utf-8 ,',
    'column 1',
    [
      [1, 'jane.doe@contoso.com', 'Doe, Jane'],
      [2, 'bob@contoso.com', 'Bob'],
      [3, 'carol@contoso.com'],
    ],
  ],
  'pandas.csv': [
    'utf-8 ,',
    'email | daily_limit',
    [
      [2, 'jane.doe@contoso.com', undefined, 50],
      [3, 'bob@contoso.com'],
    ],
  ],
  'pasted-column.txt': [
    'utf-8 ,',
    'column 1',
    [
      [2, 'jane.doe@contoso.com'],
      [3, 'bob@contoso.com'],
      [5, 'carol@contoso.com'],
      [6, 'address_malformed'],
    ],
  ],
  'report-with-title.csv': ['utf-8 ;', 'E-Mail | Name', [[5, 'jane.doe@contoso.com', 'Jane Doe']]],
  'salesforce-report.csv': [
    'windows-1252 ,',
    'Email | First Name + Last Name',
    [
      [2, 'juergen.gross@contoso.com', 'Jürgen Groß'],
      [3, 'bob@contoso.com', 'Bob Doe'],
      [6, 'row_malformed'],
      [7, 'row_malformed'],
      [8, 'row_malformed'],
    ],
  ],
  'salesforce-users.csv': ['utf-8 ,', 'EMAIL | FIRSTNAME + LASTNAME', [[2, 'jane.doe@contoso.com', 'Jane Doe']]],
  'trailing-blanks.csv': [
    'utf-8 ,',
    'Email | Name',
    [
      [2, 'jane.doe@contoso.com', 'Jane'],
      [5, 'bob@contoso.com', 'Bob'],
    ],
  ],
  'zoho-crm-contacts.csv': [
    'utf-8 ,',
    'Email | Full Name | Record Id',
    [[2, 'juergen.gross@contoso.com', 'Jürgen Groß', undefined, 'zcrm_4500000001']],
  ],
  'zoho-mail-users.csv': ['utf-8 ,', 'Email Id | Display Name', [[2, 'jane.doe@contoso.com', 'Jane Doe']]],
};
