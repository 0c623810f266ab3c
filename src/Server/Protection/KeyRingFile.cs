using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Mfa.Server.Protection;

/// <summary>The key ring as a file: JSON, mode 0600, created once. Losing it loses every enrollment.</summary>
internal static class KeyRingFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>A new ring with one random key. Appears whole or not at all, and never over another file.</summary>
    public static KeyRing Create(string path, DateTimeOffset now)
    {
        var id = BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(sizeof(uint)));
        var key = RandomNumberGenerator.GetBytes(KeyRing.KeyBytes);
        var content = new KeyRingContent($"{id:x8}", [new KeyEntry($"{id:x8}", key, now)]);

        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = OwnerOnly,
        };
        var unfinished = $"{path}.{Environment.ProcessId}";
        using (var file = new FileStream(unfinished, options))
        {
            JsonSerializer.Serialize(file, content, KeyRingJson.Default.KeyRingContent);
            file.Flush(flushToDisk: true); // before the first row that needs this key
        }

        try
        {
            File.Move(unfinished, path, overwrite: false);
            FolderSync.Flush(Path.GetDirectoryName(path)!);
        }
        catch (IOException)
        {
            File.Delete(unfinished);
            throw new StartRefusedException($"{path}: just made by another program that sets up this folder. Try again.");
        }

        return new KeyRing(id, new Dictionary<uint, byte[]> { [id] = key });
    }

    /// <exception cref="StartRefusedException">The file is unreadable, readable by others, or holds no proper key.</exception>
    public static KeyRing Load(string path)
    {
        RefuseOpenToOthers(path);
        try
        {
            var content = JsonSerializer.Deserialize(File.ReadAllBytes(path), KeyRingJson.Default.KeyRingContent)
                ?? throw new JsonException();
            var keys = new Dictionary<uint, byte[]>();
            foreach (var entry in content.Keys)
            {
                if (entry.Key.Length != KeyRing.KeyBytes || entry.Key.All(b => b == entry.Key[0]))
                    throw new StartRefusedException($"{path}: key {entry.Id} is not {KeyRing.KeyBytes} random bytes.");
                keys.Add(Convert.ToUInt32(entry.Id, 16), entry.Key);
            }

            return new KeyRing(Convert.ToUInt32(content.Active, 16), keys);
        }
        catch (UnauthorizedAccessException)
        {
            throw new StartRefusedException($"{path}: this user may not read the key ring.");
        }
        catch (Exception broken) when (broken is JsonException or FormatException or OverflowException
            or ArgumentException or CryptographicException or NullReferenceException)
        {
            throw new StartRefusedException($"{path}: not a key ring. Restore it from its backup; without it no enrollment opens.");
        }
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
