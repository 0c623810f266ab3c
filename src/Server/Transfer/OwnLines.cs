using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Mfa.Server.Delivery;
using Mfa.Server.Domain;
using Mfa.Server.Protection;

namespace Mfa.Server.Transfer;

/// <summary>This server's own format, one JSON object a line and account: docs/import.md has its fields.</summary>
internal sealed partial class OwnLines(PhoneParser phones)
{
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 4, AllowDuplicateProperties = false };

    private static readonly string[] Fields =
    [
        "account", "method", "state", "secret", "algorithm", "digits", "period", "last_step", "spent_from", "spent_to", "failures",
        "email", "phone", "locale", "enable_time", "recovery_codes",
    ];

    public IEnumerable<ForeignRow> Read(Stream file)
    {
        foreach (var line in BoundedLines.Read(file))
            yield return line.Problem is { } problem ? ForeignRow.Broken(line.Place, problem) : RowOf(line);
    }

    private ForeignRow RowOf(BoundedLine line)
    {
        try
        {
            using var json = JsonDocument.Parse(line.Text, Options);
            return json.RootElement.ValueKind == JsonValueKind.Object
                ? Judge(line.Place, json.RootElement) : ForeignRow.Broken(line.Place, "not a JSON object");
        }
        catch (JsonException)
        {
            return ForeignRow.Broken(line.Place, "not JSON, or a field twice");
        }
        catch (InvalidOperationException)
        {
            return ForeignRow.Broken(line.Place, "not Unicode"); // half a surrogate pair, which JSON can spell
        }
    }

    private ForeignRow Judge(string place, JsonElement row)
    {
        var account = row.Text("account");
        // A field that was left out of account could be a lock or a limit.
        if (row.EnumerateObject().Any(field => !Fields.Contains(field.Name, StringComparer.Ordinal)))
            return ForeignRow.Broken(place, "a field that this format does not have", account);
        if (!AccountKey.IsName(account)) return ForeignRow.Broken(place, $"account: {AccountKey.AcceptedName}", account);
        var (proven, known) = row.Field("state") is null ? (true, true) : (row.Text("state") == "ENABLED", row.Text("state") is "ENABLED" or "PENDING");
        if (!known) return ForeignRow.Broken(place, "state: ENABLED or PENDING", account);

        var judged = Method(row) switch
        {
            Domain.Method.Authenticator => new ForeignClaims(place)
            {
                Account = account,
                Secret = Base32.Decode(row.Text("secret")),
                Algorithm = row.Field("algorithm") is null ? "SHA1" : row.Text("algorithm"),
                Digits = row.Number("digits", 6),
                Period = row.Number("period", 30),
                LastStep = row.Number("last_step", 0) ?? -1,
                Proven = proven,
            }.Judge(),
            Domain.Method.Email or Domain.Method.Sms => Sent(place, account, Method(row), proven),
            Domain.Method.Unspecified => ForeignRow.Broken(place, "method: AUTHENTICATOR, EMAIL or SMS", account),
        };
        return judged.Factor is { } factor ? WithRest(judged, factor, row) : judged;
    }

    private static Method Method(JsonElement row) => row.Field("method") is null ? Domain.Method.Authenticator : row.Text("method") switch
    {
        "AUTHENTICATOR" => Domain.Method.Authenticator,
        "EMAIL" => Domain.Method.Email,
        "SMS" => Domain.Method.Sms,
        _ => Domain.Method.Unspecified,
    };

    private static ForeignRow Sent(string place, string account, Method method, bool proven) => proven
        ? new(place, account, RowKind.Fit, "", new ForeignFactor(account, method, TotpParameters.Sent, Secret: null, LastStep: 0, proven, []))
        : ForeignRow.Unsupported(place, "a pending enrollment of a method whose first code is sent: start it with Enable", account);

    /// <summary>What only this format knows of.</summary>
    private ForeignRow WithRest(ForeignRow row, ForeignFactor factor, JsonElement json)
    {
        var (email, phone) = (EmailAddress.Parse(json.Text("email")), json.Field("phone") is null ? null : phones.Parse(json.Text("phone")));
        var codes = json.Items("recovery_codes").Select(code => code.ValueKind == JsonValueKind.String ? RecoveryCode.Parse(code.GetString()!) : null).ToList();
        var spent = (From: json.Number("spent_from", -1), To: json.Number("spent_to", -1));
        var failures = json.Number("failures", 0);
        DateTimeOffset enabled = default;
        var problem =
            json.Field("email") is not null && email is null ? $"email: {EmailAddress.Accepted}"
            : json.Field("phone") is not null && phone is null ? $"phone: {phones.Accepted}"
            : factor.Method == Domain.Method.Email && email is null ? "email: needed for the method EMAIL"
            : factor.Method == Domain.Method.Sms && phone is null ? "phone: needed for the method SMS"
            : phone is not null && !phones.Allows(phone) ? "phone: SMS are not sent to that country, see sms:regions"
            : json.Field("locale") is not null && !Language().IsMatch(json.Text("locale")) ? "locale: a BCP 47 tag such as fr-CA"
            : failures is not (>= 0 and <= 100_000) ? "failures: 0 to 100,000"
            : spent is not ({ From: -1, To: -1 } or { From: >= 0, To: >= 0 }) || spent.From > spent.To ? "spent_from, spent_to: both ends of a range of steps"
            : json.Field("enable_time") is not null && !TryTime(json.Text("enable_time"), out enabled) ? "enable_time: RFC 3339, UTC"
            : codes.Count > RecoveryCode.PerAccount || codes.Contains(null) ? $"recovery_codes: at most {RecoveryCode.PerAccount}, in this server's form"
            : null;
        if (problem is not null)
        {
            factor.Dispose();
            return ForeignRow.Broken(row.Place, problem, row.Account);
        }

        return row with
        {
            Factor = factor with
            {
                Email = email,
                Phone = phone,
                Locale = json.Field("locale") is null ? null : json.Text("locale"),
                Failures = (int)failures!,
                Spent = spent.From >= 0 ? new StepRange(spent.From.Value, spent.To!.Value) : null,
                EnableTime = enabled == default ? null : enabled,
                RecoveryCodes = [.. codes.OfType<RecoveryCode>()],
            },
        };
    }

    /// <summary>The line of a factor in force. Recovery codes are known as hashes of this server's alone and stay.</summary>
    public static void Write(Utf8JsonWriter json, Account account, Enrollment factor, OpenSecret? secret, EmailAddress? email, PhoneNumber? phone)
    {
        json.WriteStartObject();
        json.WriteString("account", account.Key.Account);
        json.WriteString("method", factor.Method.ToString().ToUpperInvariant());
        json.WriteString("state", "ENABLED");
        if (secret is not null)
        {
            json.WriteString("secret", secret.Reveal());
            json.WriteString("algorithm", factor.Totp.Algorithm.ToString().ToUpperInvariant());
            json.WriteNumber("digits", factor.Totp.Digits);
            json.WriteNumber("period", factor.Totp.PeriodSeconds);
            json.WriteNumber("last_step", factor.LastStep);
            if (factor.Spent is { } spent)
            {
                json.WriteNumber("spent_from", spent.From);
                json.WriteNumber("spent_to", spent.To);
            }
        }

        if (account.FactorGuesses.Failures > 0) json.WriteNumber("failures", account.FactorGuesses.Failures);
        if (email is not null) json.WriteString("email", email.Reveal());
        if (phone is not null) json.WriteString("phone", phone.Reveal());
        if (factor.Locale is not null) json.WriteString("locale", factor.Locale);
        if (account.EnableTime is { } time) json.WriteString("enable_time", time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
        json.WriteEndObject();
    }

    private static bool TryTime(string text, out DateTimeOffset time) => DateTimeOffset.TryParseExact(
        text, "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time);

    [GeneratedRegex("^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}$", RegexOptions.None, 1000)]
    private static partial Regex Language();
}
