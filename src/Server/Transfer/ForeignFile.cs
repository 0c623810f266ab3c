using System.Text.Json;
using Mfa.Server.Delivery;

namespace Mfa.Server.Transfer;

/// <summary>What a file's account is called here, where its format has several names for it.</summary>
internal enum AccountFrom
{
    Id = 0,
    UserName,
    Email,
}

/// <summary>A file to import from, in one of the formats. Its rows can be gone through several times.</summary>
internal sealed class ForeignFile
{
    public static readonly string[] Formats = ["jsonl", "otpauth", "google-authenticator", "aegis", "aspnet-identity", "keycloak", "libpam"];

    private readonly Func<IEnumerable<ForeignRow>> _rows;

    private ForeignFile(Func<IEnumerable<ForeignRow>> rows) => _rows = rows;

    public IEnumerable<ForeignRow> Rows => _rows();

    /// <param name="account">The account of a file that names none; null to go by the file's name.</param>
    /// <param name="password">Asked for when the file is encrypted.</param>
    /// <exception cref="StartRefusedException">It cannot be read as this format at all.</exception>
    public static async Task<ForeignFile> OpenAsync(
        string path, string format, AccountFrom from, string? account, PhoneParser phones, Func<Task<string>> password)
    {
        var folder = Directory.Exists(path);
        if (!folder && !File.Exists(path)) throw new StartRefusedException($"{path}: there is no such file.");
        if (folder && format != "libpam") throw new StartRefusedException($"{path}: a folder. Only the format libpam takes one.");
        try
        {
            switch (format)
            {
                case "jsonl":
                    return new ForeignFile(() => Lines(path, new OwnLines(phones).Read));
                case "otpauth" or "google-authenticator":
                    return new ForeignFile(() => Lines(path, OtpauthLines.Read));
                case "libpam":
                    return new ForeignFile(() => LibpamFiles.Read(path, account));
                case "aspnet-identity":
                    return new ForeignFile(() => IdentityTables.Read(path, from));
                case "keycloak":
                    var realm = JsonParts.ReadFile(path);
                    _ = JsonParts.Elements(realm, "users"); // all of it is JSON, or none of it counts
                    return new ForeignFile(() => KeycloakRealm.Read(realm, from));
                case "aegis":
                    var vault = JsonParts.ReadFile(path);
                    var encrypted = AegisVault.IsEncrypted(vault);
                    if (encrypted) vault = AegisVault.Open(vault, await password());
                    return new ForeignFile(() => AegisVault.Read(vault, encrypted));
                default:
                    throw new InvalidOperationException("A format that is not listed."); // unreachable
            }
        }
        catch (JsonException broken)
        {
            throw new StartRefusedException($"{path}: not JSON as a whole, see line {broken.LineNumber + 1}.");
        }
        catch (Exception unreadable) when (unreadable is UnauthorizedAccessException or IOException)
        {
            throw new StartRefusedException($"{path}: this user cannot read it.");
        }
    }

    private static IEnumerable<ForeignRow> Lines(string path, Func<Stream, IEnumerable<ForeignRow>> read)
    {
        using var file = File.OpenRead(path);
        foreach (var row in read(file)) yield return row;
    }
}
