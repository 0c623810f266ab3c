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
