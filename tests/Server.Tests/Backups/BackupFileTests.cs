using Mfa.Server.Backups;
using Mfa.Server.Protection;
using Mfa.Server.Store;
using Mfa.Server.Tests.Protection;

namespace Mfa.Server.Tests.Backups;

/// <summary>A backup that is not whole, not ours or not unaltered is not taken for one (ST15, SE4).</summary>
public sealed class BackupFileTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly TempFolder _folder = new();
    private readonly KeyRing _ring = Rings.New();
    private readonly Database _database;
    private readonly string _path;

    public BackupFileTests()
    {
        _database = new Database(_folder.File("mfa.db"));
        _database.Create(_ring);
        _path = _folder.File("backup");
        Make(_path);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void It_is_a_database_that_any_sqlite_program_opens()
    {
        using var copy = new Session(DatabaseCopy.OpenAlone(_path));

        Assert.Equal(new RowCounts(0, 0, 0), DatabaseCopy.Count(copy));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_path));
        Assert.Equal(["backup", "mfa.db"], Directory.GetFiles(_folder.Path).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void An_altered_byte_anywhere_is_found()
    {
        var good = File.ReadAllBytes(_path);
        var ends = Enumerable.Range(good.Length - 400, 400); // manifest, length, MAC and mark, every byte
        foreach (var at in ends.Concat(Enumerable.Range(0, 40).Select(i => i * (good.Length - 400) / 40)))
        {
            var altered = good.ToArray();
            altered[at] ^= 1;
            Assert.Throws<StartRefusedException>(() => Read(altered, _ring));
        }

        Assert.Equal(new RowCounts(0, 0, 0), Read(good, _ring).Rows);
    }

    [Fact]
    public void A_file_that_was_cut_short_or_added_to_is_found()
    {
        var good = File.ReadAllBytes(_path);
        foreach (var length in new[] { 0, 1, 43, 44, 4096, good.Length / 2, good.Length - 44, good.Length - 8, good.Length - 1 })
            Assert.Contains("not a whole backup", Assert.Throws<StartRefusedException>(() => Read(good[..length], _ring)).Message);
        Assert.Contains("not a whole backup", Assert.Throws<StartRefusedException>(() => Read([.. good, 0], _ring)).Message);
        Assert.Contains("damaged or altered", Assert.Throws<StartRefusedException>(() => Read([.. good[..4096], .. good[8192..]], _ring)).Message);
    }

    [Fact]
    public void Another_key_ring_is_told_from_damage_and_the_same_id_helps_nobody()
    {
        var good = File.ReadAllBytes(_path);
        var other = new KeyRing(_ring.ActiveId, new Dictionary<uint, byte[]> { [_ring.ActiveId] = [.. Enumerable.Range(1, KeyRing.KeyBytes).Select(i => (byte)i)] });

        Assert.Contains("another key ring", Assert.Throws<StartRefusedException>(() => Read(good, Other())).Message);
        Assert.Contains("of another key ring", Assert.Throws<StartRefusedException>(() => Read(good, other)).Message);
    }

    [Fact]
    public void A_newer_schema_is_refused_before_anything_is_read_into()
    {
        File.Copy(_database.Path, _path, overwrite: true);
        using (var file = new FileStream(_path, FileMode.Open, FileAccess.ReadWrite))
            BackupFile.Seal(file, new BackupManifest($"{_ring.ActiveId:x8}", 999, Now, new RowCounts(0, 0, 0)), _ring);

        Assert.Contains("newer version", Assert.Throws<StartRefusedException>(() => Read(File.ReadAllBytes(_path), _ring)).Message);
    }

    [Fact]
    public void Nothing_is_overwritten_and_nothing_left_behind_when_it_fails()
    {
        Assert.Contains(_path, Assert.Throws<StartRefusedException>(() => Make(_path)).Message);
        Assert.Contains("cannot be created", Assert.Throws<StartRefusedException>(() => Make(_folder.File("no/such/folder"))).Message);
        File.WriteAllText(_folder.File("next.partial"), "");
        Assert.Contains("another backup is writing it", Assert.Throws<StartRefusedException>(() => Make(_folder.File("next"))).Message);
        File.Delete(_folder.File("next.partial"));

        using (var file = new FileStream(_database.Path, FileMode.Open, FileAccess.ReadWrite))
        {
            file.Position = 8 * 4096; // a table's page
            file.Write(Enumerable.Repeat((byte)0xAA, 4096).ToArray());
        }

        Assert.Throws<StartRefusedException>(() => Make(_folder.File("next")));
        Assert.Equal(["backup", "mfa.db"], Directory.GetFiles(_folder.Path).Select(Path.GetFileName).Order());
    }

    private void Make(string path) => Backup.Make(_database, _ring, path, Now, new Progress("test"));

    private BackupManifest Read(byte[] content, KeyRing ring)
    {
        var path = _folder.File("altered");
        File.WriteAllBytes(path, content);
        using var file = new FileStream(path, FileMode.Open);
        return BackupFile.Read(file, to: null, ring, new Progress("test"));
    }

    private static KeyRing Other() => new(1, new Dictionary<uint, byte[]> { [1] = [.. Enumerable.Range(7, KeyRing.KeyBytes).Select(i => (byte)i)] });
}
