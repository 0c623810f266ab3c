using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace Mfa.EndToEnd.Processes;

/// <summary>What a program that ran to its end left behind.</summary>
internal sealed record Ended(int ExitCode, string Output, string Errors);

/// <summary>
/// Programs that share no code with the server and so check it independently. One that is missing fails the test: a suite
/// that skips is green for the wrong reason.
/// </summary>
internal static class OutsideProgram
{
    /// <summary>Far more than any of them takes; only a hang gets there.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>Computes codes (Debian package oathtool).</summary>
    public static Task<string> OathtoolAsync(string input, params string[] arguments) =>
        OutputAsync("oathtool", "oathtool", arguments, Encoding.ASCII.GetBytes(input));

    /// <summary>Draws an SVG as a PNG (Debian package librsvg2-bin).</summary>
    public static Task<string> RsvgConvertAsync(params string[] arguments) => OutputAsync("rsvg-convert", "librsvg2-bin", arguments, []);

    /// <summary>Reads QR codes from a picture (Debian package zbar-tools).</summary>
    public static Task<string> ZbarimgAsync(params string[] arguments) => OutputAsync("zbarimg", "zbar-tools", arguments, []);

    /// <summary>Knows certificates and speaks TLS (Debian package openssl).</summary>
    public static Task<Ended> OpenSslAsync(params string[] arguments) => RunAsync(new ProcessStartInfo("openssl", arguments), [], "openssl");

    /// <summary>Runs a program to its end and tells everything it said.</summary>
    public static async Task<Ended> RunAsync(ProcessStartInfo start, byte[] input, string? debianPackage = null)
    {
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        using var process = Start(start, debianPackage);
        using var hang = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        hang.CancelAfter(Patience);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(hang.Token);
            var errors = process.StandardError.ReadToEndAsync(hang.Token);
            await FeedAsync(process, input, hang.Token);
            await process.WaitForExitAsync(hang.Token);
            return new Ended(process.ExitCode, await output, await errors);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    private static async Task<string> OutputAsync(string program, string debianPackage, string[] arguments, byte[] input)
    {
        var ended = await RunAsync(new ProcessStartInfo(program, arguments), input, debianPackage);
        Assert.True(ended.ExitCode == 0, $"{program} ended with {ended.ExitCode}: {ended.Errors}");
        return ended.Output;
    }

    private static Process Start(ProcessStartInfo start, string? debianPackage)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception missing) when (debianPackage is not null)
        {
            throw new InvalidOperationException(
                $"These tests need {start.FileName}. On Debian: apt-get install {debianPackage}", missing);
        }
    }

    private static async Task FeedAsync(Process process, byte[] input, CancellationToken ct)
    {
        try
        {
            await process.StandardInput.BaseStream.WriteAsync(input, ct);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading: its exit code says why.
        }
    }
}
