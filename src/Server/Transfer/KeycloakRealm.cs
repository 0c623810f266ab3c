using System.Text;
using System.Text.Json;

namespace Mfa.Server.Transfer;

/// <summary>
/// A realm that Keycloak exported with its users, or one file of its users: `users[].credentials[]`, whose details are JSON
/// inside strings. A realm keeps several factors a person; the one it asks for first comes along.
/// </summary>
internal static class KeycloakRealm
{
    public static IEnumerable<ForeignRow> Read(byte[] json, AccountFrom from)
    {
        var line = new LineCounter(json);
        var number = 0;
        foreach (var range in JsonParts.Elements(json, "users"))
        {
            var place = $"line {line.At(range.Start.Value)}, user {++number}";
            using var user = JsonDocument.Parse(json.AsMemory(range));
            foreach (var row in RowsOf(place, user.RootElement, from)) yield return row;
        }
    }

    private static IEnumerable<ForeignRow> RowsOf(string place, JsonElement user, AccountFrom from)
    {
        var account = user.Text(from switch { AccountFrom.Id => "id", AccountFrom.UserName => "username", AccountFrom.Email => "email" });
        var first = true;
        var credentials = user.Items("credentials").OrderBy(c => c.Number("priority", long.MaxValue) ?? long.MaxValue);
        foreach (var credential in credentials)
        {
            var type = credential.Text("type");
            if (type is "password" or "password-history") continue;
            if (type is "otp" && !first)
            {
                yield return ForeignRow.Unsupported(place, "a further authenticator of the same account; an account has one here", account);
            }
            else if (type is "otp")
            {
                first = false;
                yield return RowOf(place, user, account, credential);
            }
            else
            {
                yield return ForeignRow.Unsupported(place, type switch
                {
                    "recovery-authn-codes" => "recovery codes, kept as hashes of Keycloak's own: let their owner make new ones",
                    "webauthn" or "webauthn-passwordless" => "a security key (WebAuthn)",
                    _ => "another kind of credential than an authenticator",
                }, account);
            }
        }
    }

    private static ForeignRow RowOf(string place, JsonElement user, string account, JsonElement credential)
    {
        try
        {
            using var secret = JsonDocument.Parse(credential.Text("secretData"));
            using var data = JsonDocument.Parse(credential.Text("credentialData"));
            var value = secret.RootElement.Text("value");
            var verified = user.Flag("emailVerified") == true;
            return new ForeignClaims(place)
            {
                Account = account,
                Type = data.RootElement.Text("subType") is { Length: > 0 } type ? type : "totp",
                Secret = data.RootElement.Text("secretEncoding") switch
                {
                    "" => value.Length > 0 ? Encoding.UTF8.GetBytes(value) : null, // the characters themselves are the key
                    "BASE32" => Base32.Decode(value),
                    _ => null,
                },
                Algorithm = data.RootElement.Text("algorithm") is { Length: > 0 } algorithm ? algorithm : "HmacSHA1",
                Digits = data.RootElement.Number("digits", 6),
                Period = data.RootElement.Number("period", 30),
                Email = verified ? user.Text("email") : "",
                Note = !verified && user.Text("email").Length > 0 ? "the address was never confirmed and did not come along" : "",
            }.Judge();
        }
        catch (JsonException)
        {
            return ForeignRow.Broken(place, "secretData or credentialData: not JSON", account);
        }
    }

    /// <summary>The lines of rising offsets, counted once.</summary>
    private sealed class LineCounter(byte[] text)
    {
        private int _offset;
        private int _line = 1;

        public int At(int offset)
        {
            _line += text.AsSpan(_offset..offset).Count((byte)'\n');
            _offset = offset;
            return _line;
        }
    }
}
