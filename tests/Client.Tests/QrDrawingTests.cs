using System.Globalization;
using System.Text;

namespace Mfa.Client.Tests;

/// <summary>What the terminal shows is turned into a picture, as the eye sees it, and read by zbar.</summary>
public sealed class QrDrawingTests
{
    private const string BlackOnWhite = "\u001b[38;5;16;48;5;231m";
    private const int Scale = 8;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_a_terminal_shows_reads_back_as_the_key_URI(bool colour)
    {
        await using var server = await StubServer.StartAsync();

        var talk = await MfaProgram.TalkAsync(server, "mk AUTHENTICATOR --account alice",
        [
            ("[y/N] ", "y\r"), ("[y/N] ", "\r"), ("[y/N] ", "\r"), ("6-digit", "123456\r"), ("ready", ""),
        ], environment: ["MFA_API_KEY=k", .. colour ? (string[])[] : ["NO_COLOR=1"]]);

        var rows = talk.Text.Split('\n').Where(IsDrawn).ToArray();
        Assert.All(rows, row => Assert.Equal(colour, row.StartsWith(BlackOnWhite, StringComparison.Ordinal)));
        Assert.Equal(StubServer.KeyUri, await ReadAsync(rows));
    }

    [Fact]
    public async Task Through_a_pipe_there_are_no_control_sequences()
    {
        await using var server = await StubServer.StartAsync();

        var run = await MfaProgram.RunAsync(server, "mk AUTHENTICATOR --account alice", "y\nn\nn\n123456\n", ["MFA_API_KEY=k"]);

        Assert.DoesNotContain('\u001b', run.Output + run.Error);
        Assert.Equal(StubServer.KeyUri, await ReadAsync([.. run.Output.Split('\n').Where(IsDrawn)]));
    }

    [Theory]
    [InlineData("otpauth://totp/A:b?secret=JBSWY3DPEHPK3PXP&issuer=A")]
    [InlineData("otpauth://totp/A%20rather%20long%20organisation%20name:someone.with.a.long.name@department.example.org?secret=JBSWY3DPEHPK3PXPGEZDGNBVGY3TQOJQ&issuer=A%20rather%20long%20organisation%20name&algorithm=SHA1&digits=6&period=30")]
    public async Task Every_size_reads_back_in_both_drawings(string uri)
    {
        var drawing = QrDrawing.Of(uri)!;

        Assert.Equal(uri, await ReadAsync([.. drawing.Rows(colour: true)]));
        Assert.Equal(uri, await ReadAsync([.. drawing.Rows(colour: false)]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_quiet_zone_is_four_light_modules_on_every_side(bool colour)
    {
        var picture = Picture([.. QrDrawing.Of(StubServer.KeyUri)!.Rows(colour)]);

        var size = picture[0].Length;
        for (var y = 0; y < size; y++)
        {
            for (var x = 0; x < size; x++)
            {
                if (x < 4 || y < 4 || x >= size - 4 || y >= size - 4) Assert.False(picture[y][x], $"dark at {x},{y}");
            }
        }
        Assert.True(picture[4][4]); // the finder pattern begins right behind it
    }

    [Fact]
    public void An_ordinary_key_fits_eighty_columns() => Assert.InRange(QrDrawing.Of(StubServer.KeyUri)!.Width, 21, 60);

    [Theory]
    [InlineData(0)]
    [InlineData(1001)]
    [InlineData(100000)]
    public void What_no_phone_could_read_is_not_drawn(int length) => Assert.Null(QrDrawing.Of(new string('a', length)));

    private static bool IsDrawn(string row) => row.Any(c => c is '█' or '▀' or '▄') || row.StartsWith(BlackOnWhite, StringComparison.Ordinal);

    /// <summary>Dark modules are true. A plain character is light ink on a dark terminal.</summary>
    private static bool[][] Picture(string[] rows)
    {
        var picture = new List<bool[]>();
        foreach (var row in rows)
        {
            var inkIsDark = row.StartsWith(BlackOnWhite, StringComparison.Ordinal);
            var cells = MkConversationTests.StripControlSequences(row);
            picture.Add([.. cells.Select(c => (c is '█' or '▀') == inkIsDark)]);
            picture.Add([.. cells.Select(c => (c is '█' or '▄') == inkIsDark)]);
        }
        return [.. picture];
    }

    private static async Task<string> ReadAsync(string[] rows)
    {
        var picture = Picture(rows);
        Assert.NotEmpty(picture);
        var pgm = new StringBuilder(string.Create(CultureInfo.InvariantCulture, $"P2 {picture[0].Length * Scale} {picture.Length * Scale} 255\n"));
        foreach (var line in picture)
        {
            var pixels = string.Concat(line.SelectMany(dark => Enumerable.Repeat(dark ? "0 " : "255 ", Scale)));
            for (var i = 0; i < Scale; i++) pgm.AppendLine(pixels);
        }
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("qr.pgm"), pgm.ToString(), TestContext.Current.CancellationToken);
        var run = await MfaProgram.StartAsync(["/usr/bin/zbarimg", "--raw", "-q", folder.File("qr.pgm")], "", [], folder.Path);
        return run.Output.TrimEnd('\n');
    }
}
