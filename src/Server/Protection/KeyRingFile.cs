using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Mfa.Server.Protection;

/// <summary>
/// The key ring as a file: JSON, mode 0600. Losing it loses every enrollment. The one place that reads and writes ring keys:
/// a source that keeps them elsewhere (a KMS, a PKCS#11 token) would take the place of this class.
/// </summary>
internal static class KeyRingFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>A new ring with one random key. Appears whole or not at all, and never over another file.</summary>
    public static KeyRing Create(string path, DateTimeOffset now)
    {
        var key = NewKey([], now);
        var content = new KeyRingContent(key.Id, [key]);
        var unfinished = $"{path}.{Environment.ProcessId}";
        Write(unfinished, content); // before the first row that needs this key
        try
        {
            File.Move(unfinished, path, overwrite: false);
        }
        catch (IOException)
        {
            File.Delete(unfinished);
            throw new StartRefusedException($"{path}: just made by another program that sets up this folder. Try again.");
        }

        FolderSync.Flush(Path.GetDirectoryName(path)!);
        return RingOf(content);
    }

    /// <exception cref="StartRefusedException">The file is unreadable, readable by others, or holds no proper key.</exception>
    public static KeyRing Load(string path) => RingOf(Read(path));

    /// <summary>As <see cref="Load"/>, with the times the keys were made at.</summary>
    public static KeyRingContent Read(string path)
    {
        try
        {
            RefuseOpenToOthers(path);
            var content = JsonSerializer.Deserialize(File.ReadAllBytes(path), KeyRingJson.Default.KeyRingContent)
                ?? throw new JsonException();
            foreach (var entry in content.Keys)
            {
                if (entry.Key.Length != KeyRing.KeyBytes || entry.Key.All(b => b == entry.Key[0]))
                    throw new StartRefusedException($"{path}: key {entry.Id} is not {KeyRing.KeyBytes} random bytes. Restore the file from its backup.");
            }

            RingOf(content);
            return content;
        }
        catch (UnauthorizedAccessException)
        {
            throw new StartRefusedException($"{path}: this user may not read the key ring.");
        }
        catch (IOException gone)
        {
            throw new StartRefusedException($"{path}: {gone.Message}");
        }
        catch (Exception broken) when (broken is JsonException or FormatException or OverflowException
            or ArgumentException or CryptographicException or NullReferenceException)
        {
            throw new StartRefusedException($"{path}: not a key ring. Restore it from its backup; without it no enrollment opens.");
        }
    }

    /// <summary>
    /// Puts new content in the file's place, at once: whoever reads or is killed meanwhile finds the old file or the new one.
    /// For one writer at a time.
    /// </summary>
    public static void Replace(string path, KeyRingContent content)
    {
        var target = new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path; // a link stays a link
        var unfinished = $"{target}.new";
        File.Delete(unfinished); // left by one that was killed
        Write(unfinished, content);
        Read(unfinished); // what cannot be read back must not take the place of what can
        File.Move(unfinished, target, overwrite: true);
        FolderSync.Flush(Path.GetDirectoryName(target)!);
    }

    /// <summary>A random key under an id that no other has.</summary>
    public static KeyEntry NewKey(IReadOnlyCollection<KeyEntry> others, DateTimeOffset now)
    {
        string id;
        do id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(sizeof(uint)));
        while (others.Any(other => IdOf(other.Id) == IdOf(id)));
        return new KeyEntry(id, RandomNumberGenerator.GetBytes(KeyRing.KeyBytes), now);
    }

    public static uint IdOf(string text) => Convert.ToUInt32(text, 16);

    private static KeyRing RingOf(KeyRingContent content) =>
        new(IdOf(content.Active), content.Keys.ToDictionary(entry => IdOf(entry.Id), entry => entry.Key));

    private static void Write(string path, KeyRingContent content)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = OwnerOnly,
        };
        using var file = new FileStream(path, options);
        JsonSerializer.Serialize(file, content, KeyRingJson.Default.KeyRingContent);
        file.Flush(flushToDisk: true);
    }

    private static void RefuseOpenToOthers(string path)
    {
        var others = File.GetUnixFileMode(path) & ~(OwnerOnly | UnixFileMode.UserExecute);
        if (others != UnixFileMode.None)
            throw new StartRefusedException($"{path}: others may read or write the key ring. Run: chmod 600 {path}");
    }
}

internal sealed record KeyRingContent(string Active, KeyEntry[] Keys);

internal sealed record KeyEntry(string Id, byte[] Key, DateTimeOffset Created)
{
    public override string ToString() => nameof(KeyEntry);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true,
    RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(KeyRingContent))]
internal sealed partial class KeyRingJson : JsonSerializerContext;
