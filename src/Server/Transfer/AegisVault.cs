using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Org.BouncyCastle.Crypto.Generators;

namespace Mfa.Server.Transfer;

/// <summary>
/// The export of the Aegis app. An encrypted one holds its entries under a master key (AES-256-GCM), and that under a key that
/// scrypt makes of a password (slots of type 1).
/// </summary>
internal static class AegisVault
{
    private const int KeyBytes = 32;
    private const int TagBytes = 16;
    private const int PasswordSlot = 1;

    /// <summary>The app takes 32 MiB. A file may not make us take more than this.</summary>
    private const long MostScryptBytes = 256L << 20;

    public static bool IsEncrypted(byte[] json)
    {
        using var vault = JsonDocument.Parse(json);
        return vault.RootElement.Field("db") is { ValueKind: JsonValueKind.String };
    }

    /// <returns>What the file would be without encryption: its `db`.</returns>
    /// <exception cref="StartRefusedException">Not the password, or not such a file.</exception>
    public static byte[] Open(byte[] json, string password)
    {
        using var vault = JsonDocument.Parse(json);
        var header = vault.RootElement.Field("header") ?? default;
        try
        {
            foreach (var slot in header.Items("slots").Where(slot => slot.Number("type", usual: null) == PasswordSlot))
            {
                if (MasterKey(slot, password) is not { } key) continue;
                var cipher = Convert.FromBase64String(vault.RootElement.Text("db"));
                var plain = Decrypt(key, header.Field("params") ?? default, cipher);
                CryptographicOperations.ZeroMemory(key);
                return plain ?? throw new StartRefusedException("The entries do not open with their own key: the file was altered.");
            }
        }
        catch (FormatException)
        {
            throw new StartRefusedException("Not a whole Aegis export: a key or the entries do not read.");
        }

        throw new StartRefusedException("The password opens none of the file's slots.");
    }

    /// <summary>Entries of an export that is open, or of the `db` that was opened.</summary>
    public static IEnumerable<ForeignRow> Read(byte[] json, bool opened)
    {
        var number = 0;
        foreach (var range in opened ? JsonParts.Elements(json, "entries") : JsonParts.Elements(json, "db", "entries"))
        {
            using var entry = JsonDocument.Parse(json.AsMemory(range));
            yield return RowOf($"entry {++number}", entry.RootElement);
        }
    }

    private static ForeignRow RowOf(string place, JsonElement entry)
    {
        var info = entry.Field("info") ?? default;
        var (issuer, account) = OtpauthLines.LabelOf(entry.Text("name"));
        return new ForeignClaims(place)
        {
            Type = entry.Text("type"),
            Account = account,
            Issuer = entry.Text("issuer") is { Length: > 0 } named ? named : issuer,
            Secret = Base32.Decode(info.Text("secret")),
            Algorithm = info.Text("algo"),
            Digits = info.Number("digits", usual: null),
            Period = info.Number("period", usual: null),
        }.Judge();
    }

    private static byte[]? MasterKey(JsonElement slot, string password)
    {
        var (n, r, p) = (slot.Number("n", 0) ?? 0, slot.Number("r", 0) ?? 0, slot.Number("p", 0) ?? 0);
        if (n < 2 || (n & (n - 1)) != 0 || r is < 1 or > 32 || p is < 1 or > 16 || n > MostScryptBytes / 128 / r)
            throw new StartRefusedException(string.Create(CultureInfo.InvariantCulture, $"scrypt with N={n}, r={r}, p={p} is not what Aegis writes, or takes too much memory."));
        var bytes = Encoding.UTF8.GetBytes(password);
        var key = SCrypt.Generate(bytes, Convert.FromHexString(slot.Text("salt")), (int)n, (int)r, (int)p, KeyBytes);
        CryptographicOperations.ZeroMemory(bytes);
        var master = Decrypt(key, slot.Field("key_params") ?? default, Convert.FromHexString(slot.Text("key")));
        CryptographicOperations.ZeroMemory(key);
        return master is { Length: KeyBytes } ? master : null;
    }

    /// <returns>Null when the key is not the one.</returns>
    private static byte[]? Decrypt(byte[] key, JsonElement parameters, byte[] cipher)
    {
        var (nonce, tag) = (Convert.FromHexString(parameters.Text("nonce")), Convert.FromHexString(parameters.Text("tag")));
        if (nonce.Length != AesGcm.NonceByteSizes.MaxSize || tag.Length != TagBytes) throw new FormatException();
        var plain = new byte[cipher.Length];
        using var aes = new AesGcm(key, TagBytes);
        try
        {
            aes.Decrypt(nonce, cipher, tag, plain);
            return plain;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }
}
