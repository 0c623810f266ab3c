using Mfa.Server.Protection;

namespace Mfa.Server.Tests.Protection;

public sealed class KeyRingFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private string Ring => _folder.File("keys.json");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_new_ring_is_its_owners_alone_and_loads_again()
    {
        var created = KeyRingFile.Create(Ring, DateTimeOffset.UnixEpoch);
        var loaded = KeyRingFile.Load(Ring);

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Ring));
        Assert.Equal(created.ActiveId, loaded.ActiveId);
        Assert.Equal(created.CheckValue(created.ActiveId), loaded.CheckValue(created.ActiveId));
    }

    [Fact]
    public void A_ring_is_never_written_over()
    {
        KeyRingFile.Create(Ring, DateTimeOffset.UnixEpoch);

        Assert.Throws<StartRefusedException>(() => KeyRingFile.Create(Ring, DateTimeOffset.UnixEpoch));
        Assert.Equal(["keys.json"], Directory.EnumerateFiles(_folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void A_replaced_ring_is_its_owners_alone_and_a_link_to_it_stays_a_link() // SE10
    {
        Directory.CreateDirectory(_folder.File("elsewhere"));
        var target = _folder.File("elsewhere/ring");
        KeyRingFile.Create(target, DateTimeOffset.UnixEpoch);
        File.CreateSymbolicLink(Ring, target);
        var content = KeyRingFile.Read(Ring);
        var key = KeyRingFile.NewKey(content.Keys, DateTimeOffset.UnixEpoch);

        KeyRingFile.Replace(Ring, new KeyRingContent(key.Id, [.. content.Keys, key]));

        Assert.Equal(target, new FileInfo(Ring).LinkTarget);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(target));
        Assert.Equal(2, KeyRingFile.Load(Ring).Ids.Count());
        Assert.Equal(["ring"], Directory.EnumerateFiles(_folder.File("elsewhere")).Select(Path.GetFileName));
    }

    [Fact]
    public void A_ring_that_is_cut_short_anywhere_or_altered_is_refused_with_what_to_do_next()
    {
        KeyRingFile.Create(Ring, DateTimeOffset.UnixEpoch);
        var good = File.ReadAllText(Ring);

        for (var length = 0; length < good.TrimEnd().Length; length++)
        {
            File.WriteAllText(Ring, good[..length]);
            Assert.Contains("Restore it from its backup", Assert.Throws<StartRefusedException>(() => KeyRingFile.Load(Ring)).Message);
        }
    }

    [Theory]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.GroupWrite)]
    [InlineData(UnixFileMode.OtherExecute)]
    public void A_ring_open_to_others_is_refused(UnixFileMode more)
    {
        KeyRingFile.Create(Ring, DateTimeOffset.UnixEpoch);
        File.SetUnixFileMode(Ring, UnixFileMode.UserRead | UnixFileMode.UserWrite | more);

        Assert.Contains("chmod 600", Assert.Throws<StartRefusedException>(() => KeyRingFile.Load(Ring)).Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("not json")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"active":"1","keys":null}""")]
    [InlineData("""{"active":"00000001","keys":[]}""")]
    [InlineData("""{"active":"00000001","keys":[null]}""")]
    [InlineData("""{"active":"xyz","keys":[{"id":"xyz","key":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=","created":"2026-01-01T00:00:00Z"}]}""")]
    [InlineData("""{"active":"00000002","keys":[{"id":"00000001","key":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=","created":"2026-01-01T00:00:00Z"}]}""")]
    [InlineData("""{"active":"00000001","keys":[{"id":"00000001","key":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==","created":"2026-01-01T00:00:00Z"}]}""")]
    [InlineData("""{"active":"00000001","keys":[{"id":"00000001","key":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","created":"2026-01-01T00:00:00Z"}]}""")]
    public void A_file_without_a_proper_active_key_is_refused_without_showing_a_key(string content)
    {
        File.WriteAllText(Ring, content);
        File.SetUnixFileMode(Ring, UnixFileMode.UserRead | UnixFileMode.UserWrite);

        var message = Assert.Throws<StartRefusedException>(() => KeyRingFile.Load(Ring)).Message;

        Assert.StartsWith(Ring, message);
        Assert.DoesNotContain("AAECAw", message);
    }
}
