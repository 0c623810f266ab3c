using Mfa.EndToEnd.Calls;
using Mfa.EndToEnd.Processes;
using Mfa.V1;

namespace Mfa.EndToEnd;

/// <summary>The picture, drawn and read by programs that know nothing of how it was made (EN13).</summary>
public sealed class QrCodeTests(DevServer server) : IClassFixture<DevServer>
{
    private static readonly string LongAccount = new('w', 128);

    public static TheoryData<string, string> Names => new()
    {
        { "plain@example.org", "" },
        { "short", "Zoë Müller & Söhne, Straße 7" },
        { "odd", "100% \"quoted\" <b>?secret=A&issuer=B#c/d" },
        { LongAccount, "" },
        { LongAccount, new string('ß', 64) },
    };

    [Theory, MemberData(nameof(Names))]
    public async Task The_picture_reads_as_exactly_the_key_uri(string account, string label)
    {
        var caller = server.Process.Dev;
        var request = new EnableRequest { Account = account, Method = Method.Authenticator, Label = label };
        var started = await caller.EnableAsync(request);
        using var folder = new TempFolder();

        await File.WriteAllTextAsync(folder["code.svg"], started.QrCodeSvg, TestContext.Current.CancellationToken);
        await OutsideProgram.RsvgConvertAsync("--format", "png", "--output", folder["code.png"], folder["code.svg"]);
        var read = await OutsideProgram.ZbarimgAsync("--quiet", "--raw", folder["code.png"]);

        Assert.Equal(started.OtpauthUri + "\n", read);
        var uri = new Uri(started.OtpauthUri);
        Assert.Equal($"MfaGrpc:{(label.Length > 0 ? label : account)}", Uri.UnescapeDataString(uri.AbsolutePath[1..]));
        Assert.Contains($"?secret={started.Secret}&", started.OtpauthUri, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_picture_fetches_nothing_from_elsewhere()
    {
        var started = await server.Process.Dev.EnableAsync(Owner.NewAccount());

        Assert.DoesNotContain("href", started.QrCodeSvg, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("url(", started.QrCodeSvg, StringComparison.OrdinalIgnoreCase);
        Assert.Single(started.QrCodeSvg.Split("http")[1..], after => after.StartsWith("://www.w3.org/2000/svg\"", StringComparison.Ordinal));
    }
}
