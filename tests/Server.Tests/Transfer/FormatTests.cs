using Mfa.Server.Transfer;

namespace Mfa.Server.Tests.Transfer;

/// <summary>What is read in each program's files, row by row.</summary>
public sealed class FormatTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_list_of_key_uris() => Assert.Equal(
        [
            "line 2 alice@example.org Authenticator Sha1 6 30 20 bytes",
            "line 3 bob Authenticator Sha256 8 60 32 bytes",
            "line 4 carol Authenticator Sha1 7 20 10 bytes (a short secret of 80 bits: let its owner enrol again)",
            "line 5 dave Authenticator Sha512 6 30 20 bytes",
            "line 7 Unsupported: codes by counter (HOTP); only codes by time come along",
            "line 8 Unsupported: Steam codes; only codes by time (RFC 6238) come along",
            "line 9 Broken: secret: missing, or not Base32",
            "line 10 Broken: secret: fewer than 80 bits",
            "line 11 Unsupported: period: only 15 to 60 seconds",
            "line 12 Unsupported: algorithm: only SHA1, SHA256 and SHA512",
            "line 13 Unsupported: digits: only 6 to 8",
            "line 14 Broken: account: give 1 to 128 of A-Z a-z 0-9 . _ @ + -",
            "line 15 Broken: a parameter is given twice",
            "line 16 Broken: a label or a query is missing",
            "line 17 Broken: not an otpauth:// URI",
        ],
        await Fixtures.ReadAsync("otpauth.txt", "otpauth"));

    [Fact]
    public async Task Batches_of_Google_Authenticator() => Assert.Equal(
        [
            "line 1, entry 1 alice@example.org Authenticator Sha1 6 30 20 bytes",
            "line 1, entry 2 bob Authenticator Sha256 8 30 20 bytes",
            "line 2, entry 1 carol Authenticator Sha512 6 30 20 bytes",
            "line 2, entry 2 Unsupported: codes by counter (HOTP); only codes by time come along",
            "line 2, entry 3 Unsupported: algorithm: only SHA1, SHA256 and SHA512",
            "line 2, entry 4 frank Authenticator Sha1 6 30 20 bytes",
        ],
        await Fixtures.ReadAsync("google-authenticator.txt", "google-authenticator"));

    [Fact]
    public async Task A_batch_that_is_missing_is_told()
    {
        var path = await WriteAsync(File.ReadLines(Fixtures.PathOf("google-authenticator.txt")).Last());

        Assert.Equal("end of file Broken: QR code 1 of 2 of one export is missing", (await ReadAsync(path, "google-authenticator"))[^1]);
    }

    [Theory]
    [InlineData("otpauth-migration://offline?data=")]
    [InlineData("otpauth-migration://offline?data=!!!!")]
    [InlineData("otpauth-migration://offline?data=CgQ%3D")] // a field that ends behind the message
    [InlineData("otpauth-migration://offline?data=CgIKBQ%3D%3D")] // the same within an entry
    [InlineData("otpauth-migration://offline?data=gICAgICAgICAgIA%3D")] // a number without an end
    public async Task What_is_no_whole_batch_is_told(string line) => Assert.Equal(
        ["line 1 Broken: not a whole batch of Google Authenticator"], await ReadAsync(await WriteAsync(line), "google-authenticator"));

    [Theory]
    [InlineData("aegis-plain.json")]
    [InlineData("aegis-encrypted.json")]
    public async Task An_export_of_Aegis_open_and_encrypted(string file) => Assert.Equal(
        [
            "entry 1 alice@example.org Authenticator Sha1 6 30 20 bytes",
            "entry 2 bob Authenticator Sha256 7 20 32 bytes",
            "entry 3 carol Authenticator Sha512 8 50 64 bytes",
            "entry 4 Unsupported: codes by counter (HOTP); only codes by time come along",
            "entry 5 Unsupported: Steam codes; only codes by time (RFC 6238) come along",
            "entry 6 Unsupported: mOTP; only codes by time (RFC 6238) come along",
            "entry 7 Broken: secret: missing, or not Base32",
        ],
        await Fixtures.ReadAsync(file, "aegis"));

    [Fact]
    public async Task An_encrypted_export_opens_with_its_password_alone_and_asks_for_no_more_memory_than_is_right()
    {
        var path = Fixtures.PathOf("aegis-encrypted.json");
        var text = await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken);

        var wrong = await Assert.ThrowsAsync<StartRefusedException>(() => Fixtures.OpenAsync(path, "aegis", password: "another"));
        var greedy = await WriteAsync(text.Replace("\"n\": 32768", "\"n\": 1073741824", StringComparison.Ordinal));
        var refused = await Assert.ThrowsAsync<StartRefusedException>(() => Fixtures.OpenAsync(greedy, "aegis"));

        Assert.Contains("password", wrong.Message, StringComparison.Ordinal);
        Assert.Contains("memory", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_realm_of_Keycloak() => Assert.Equal(
        [
            "line 15, user 1 11111111-1111-4111-8111-111111111111 Authenticator Sha1 6 30 'Dh7pBd0RUmyMyRjn4DYw' alice@example.org",
            "line 15, user 1 Unsupported: a further authenticator of the same account; an account has one here",
            "line 50, user 2 22222222-2222-4222-8222-222222222222 Authenticator Sha256 8 60 32 bytes (the address was never confirmed and did not come along)",
            "line 68, user 3 Unsupported: codes by counter (HOTP); only codes by time come along",
            "line 84, user 4 Unsupported: a security key (WebAuthn)",
            "line 100, user 5 Broken: secretData or credentialData: not JSON",
        ],
        await Fixtures.ReadAsync("keycloak-realm.json", "keycloak"));

    [Fact]
    public async Task Tables_of_Identity()
    {
        var rows = (await Fixtures.OpenAsync(Fixtures.Identity(_folder), "aspnet-identity", AccountFrom.UserName)).Rows.Select(Fixtures.Told);

        Assert.Equal(
            [
                "user 1 alice Authenticator Sha1 6 30 20 bytes alice@example.org (2 recovery codes are shorter than 120 bits and did not come along)",
                "user 2 bob Authenticator Sha1 6 30 20 bytes unproven (the address was never confirmed and did not come along)",
                "user 3 Unsupported: two-factor sign-in without an authenticator: enrol the account for e-mail or SMS",
                "user 4 Broken: the key is protected with the application's key ring (ProtectPersonalData): have the application write the keys out",
                "user 5 Broken: secret: missing, or not Base32",
            ],
            rows);
    }

    [Fact]
    public async Task A_folder_of_libpam_files() => Assert.Equal(
        [
            "alice/.google_authenticator alice Authenticator Sha1 6 30 20 bytes after 56666667 (3 scratch codes are shorter than 120 bits and did not come along)",
            "bob bob Authenticator Sha1 6 60 10 bytes (a short secret of 80 bits: let its owner enrol again; its owner's clock is off (TIME_SKEW), which is not made up for here)",
            "carol Unsupported: codes by counter (HOTP); only codes by time come along",
            "dave Broken: neither TOTP_AUTH nor HOTP_COUNTER: not a file of google-authenticator",
        ],
        await Fixtures.ReadAsync("libpam", "libpam"));

    [Fact]
    public async Task Lines_of_its_own() => Assert.Equal(
        [
            "line 1 alice Authenticator Sha1 6 30 20 bytes",
            "line 2 bob Authenticator Sha256 8 60 32 bytes after 28333333 bob@example.org",
            "line 3 carol Email Sha1 6 30 carol@example.org",
            "line 4 dave Sms Sha1 6 30 dave@example.org",
            "line 5 erin Authenticator Sha1 6 30 20 bytes unproven",
            "line 6 Broken: a field that this format does not have",
            "line 7 Broken: not JSON, or a field twice",
            "line 8 Broken: email: needed for the method EMAIL",
            "line 9 Broken: method: AUTHENTICATOR, EMAIL or SMS",
            "line 10 Broken: state: ENABLED or PENDING",
            "line 11 Broken: recovery_codes: at most 8, in this server's form",
            "line 12 Broken: email: give one plain address like name@example.org, ASCII, at most 254 characters",
            "line 13 Broken: not a JSON object",
            "line 14 Broken: not JSON, or a field twice",
            "line 15 Broken: not Unicode",
        ],
        await Fixtures.ReadAsync("accounts.jsonl", "jsonl"));

    [Theory]
    [InlineData("aegis", "{")]
    [InlineData("keycloak", "[1, 2")]
    [InlineData("aspnet-identity", "not a database")]
    public async Task A_file_of_another_format_is_refused_as_a_whole(string format, string text)
    {
        var path = await WriteAsync(text);

        var refused = await Assert.ThrowsAsync<StartRefusedException>(() => ReadAsync(path, format));

        Assert.Contains(path, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_line_that_is_too_long_or_no_text_is_told_and_the_next_one_is_read()
    {
        var path = _folder.File("file");
        byte[] lines = [.. new byte[BoundedLines.LongestLine + 1], (byte)'\n', 0xC3, 0x28, .. "\r\n{\"account\":\"a\"}"u8];
        lines.AsSpan(0, BoundedLines.LongestLine + 1).Fill((byte)'x');
        await File.WriteAllBytesAsync(path, lines, TestContext.Current.CancellationToken);

        Assert.Equal(
            ["line 1 Broken: longer than 65536 bytes", "line 2 Broken: not UTF-8", "line 3 Broken: secret: missing, or not Base32"],
            await ReadAsync(path, "jsonl"));
    }

    private async Task<string> WriteAsync(string text)
    {
        var path = _folder.File("file");
        await File.WriteAllTextAsync(path, text, TestContext.Current.CancellationToken);
        return path;
    }

    private static async Task<List<string>> ReadAsync(string path, string format) =>
        [.. (await Fixtures.OpenAsync(path, format)).Rows.Select(Fixtures.Told)];
}
