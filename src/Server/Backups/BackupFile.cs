using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Mfa.Server.Protection;
using Mfa.Server.Store;

namespace Mfa.Server.Backups;

/// <summary>What a backup says of itself. Nothing in it is secret.</summary>
/// <param name="KeyId">The ring key that the backup is authenticated with.</param>
/// <param name="Schema">The number of migrations its database has seen.</param>
internal sealed record BackupManifest(string KeyId, int Schema, DateTimeOffset CreateTime, RowCounts Rows);

/// <summary>
/// A backup is one file: an SQLite database, and behind it a manifest (JSON), its length (4 bytes, big-endian), an HMAC-SHA-256
/// over all before it, and a mark of eight letters. SQLite ignores what follows its last page, so any SQLite program can look
/// into a backup; without the key ring nobody can alter it, or open a secret in it.
/// </summary>
internal static class BackupFile
{
    private const int MacBytes = 32;
    private const int FooterBytes = sizeof(int) + MacBytes + 8;
    private const int LongestManifest = 64 * 1024;
    private const int BufferBytes = 1024 * 1024;

    private static ReadOnlySpan<byte> Mark => "MFABKUP1"u8;

    /// <summary>Makes a backup out of a database file: what follows the database is written, and all of it is on disk.</summary>
    public static void Seal(FileStream file, BackupManifest manifest, KeyRing ring)
    {
        var text = JsonSerializer.SerializeToUtf8Bytes(manifest, ManifestJson.Default.BackupManifest);
        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(length, text.Length);

        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, SubKey(ring, manifest));
        file.Position = 0;
        Copy(file, file.Length, to: null, mac, progress: null);
        mac.AppendData(text);
        mac.AppendData(length);
        file.Write(text);
        file.Write(length);
        file.Write(mac.GetHashAndReset());
        file.Write(Mark);
        file.Flush(flushToDisk: true);
    }

    /// <summary>Checks the whole file and, while reading it, copies its database.</summary>
    /// <param name="to">Gets the database; null to check only. Worthless unless this returns.</param>
    /// <exception cref="StartRefusedException">Not a whole, unaltered backup that this key ring and this program belong to.</exception>
    public static BackupManifest Read(FileStream file, FileStream? to, KeyRing ring, Progress progress)
    {
        var (manifest, databaseBytes, tail) = ReadTail(file);
        if (!ring.Contains(KeyIdOf(manifest)))
            throw new StartRefusedException($"{file.Name}: made with another key ring (key {manifest.KeyId}). Put that one into the data folder as keys.json.");
        if (manifest.Schema > Migrations.All.Count)
        {
            throw new StartRefusedException($"{file.Name}: made by a newer version of mfa-server (schema {manifest.Schema}, this one knows " +
                $"{Migrations.All.Count}). Install that version.");
        }

        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, SubKey(ring, manifest));
        file.Position = 0;
        Copy(file, databaseBytes, to, mac, progress);
        var macAt = tail.Length - FooterBytes + sizeof(int);
        mac.AppendData(tail.AsSpan(0, macAt));
        if (!CryptographicOperations.FixedTimeEquals(mac.GetHashAndReset(), tail.AsSpan(macAt, MacBytes)))
            throw new StartRefusedException($"{file.Name}: damaged or altered since it was made, or of another key ring. Use another copy.");
        return manifest;
    }

    /// <summary>Nothing of it is to be believed before the MAC was checked.</summary>
    private static (BackupManifest Manifest, long DatabaseBytes, byte[] Tail) ReadTail(FileStream file)
    {
        var refusal = new StartRefusedException($"{file.Name}: not a whole backup of mfa-server; it is cut short, or another kind of file. Use another copy.");
        if (file.Length < FooterBytes) throw refusal;
        Span<byte> footer = stackalloc byte[FooterBytes];
        file.Position = file.Length - FooterBytes;
        file.ReadExactly(footer);
        var length = BinaryPrimitives.ReadInt32BigEndian(footer);
        if (!footer[^8..].SequenceEqual(Mark) || length < 2 || length > LongestManifest || length > file.Length - FooterBytes) throw refusal;

        var tail = new byte[length + FooterBytes];
        file.Position = file.Length - tail.Length;
        file.ReadExactly(tail);
        try
        {
            var manifest = JsonSerializer.Deserialize(tail.AsSpan(0, length), ManifestJson.Default.BackupManifest) ?? throw refusal;
            KeyIdOf(manifest);
            return (manifest, file.Length - tail.Length, tail);
        }
        catch (Exception broken) when (broken is JsonException or FormatException or OverflowException or ArgumentException)
        {
            throw refusal;
        }
    }

    private static void Copy(FileStream from, long bytes, FileStream? to, IncrementalHash mac, Progress? progress)
    {
        var buffer = new byte[BufferBytes];
        for (var left = bytes; left > 0;)
        {
            var part = buffer.AsSpan(0, (int)Math.Min(left, buffer.Length));
            from.ReadExactly(part);
            mac.AppendData(part);
            to?.Write(part);
            left -= part.Length;
            progress?.Report("checking the backup", bytes - left, bytes);
        }
    }

    private static uint KeyIdOf(BackupManifest manifest) => Convert.ToUInt32(manifest.KeyId, 16);

    private static byte[] SubKey(KeyRing ring, BackupManifest manifest) => ring.SubKey(KeyIdOf(manifest), KeyPurpose.Backups);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(BackupManifest))]
internal sealed partial class ManifestJson : JsonSerializerContext;
