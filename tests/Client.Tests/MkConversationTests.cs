using Grpc.Core;
using Mfa.V1;

namespace Mfa.Client.Tests;

/// <summary><c>mfa mk</c> as a person meets it, on a pseudo-terminal.</summary>
public sealed class MkConversationTests
{
    private const string Password = "correct horse battery";

    private static readonly (string, string)[] SignIn =
    [
        ("Username: ", "alice\r"),
        ("Password: ", $"{Password}\r"),
        ("Repeat for confirmation: ", $"{Password}\r"),
    ];

    private static readonly (string, string)[] AllNo =
    [
        ("Do you have a phone to scan a QR Code to generate TOTP codes? [y/N] ", "\r"),
        ("Do you like to display the security key? [y/N] ", "n\r"),
        ("Would you like to save the codes into a text file? [y/N] ", "\r"),
    ];

    [Fact]
    public async Task The_whole_conversation_goes_in_the_promised_order()
    {
        await using var server = await StubServer.StartAsync();
        using var folder = new TemporaryFolder();

        var talk = await MfaProgram.TalkAsync(server: null, "mk authenticator",
        [
            ("Endpoint [http://127.0.0.1:7443]: ", $"{server.Endpoint}\r"),
            .. SignIn,
            ("Do you have a phone to scan a QR Code to generate TOTP codes? [y/N] ", "y\r"),
            ("Scan it with any authenticator app or password manager:\n", ""),
            ("Do you like to display the security key? [y/N] ", "y\r"),
            ($"\n{StubServer.Secret}\n", ""),
            ("Recovery codes: ", ""),
            .. StubServer.RecoveryCodes.Select(code => ($"\n{code}", "")),
            ("Would you like to save the codes into a text file? [y/N] ", "y\r"),
            ("\nWritten alice_Example_Corp_recovery_codes.txt with recovery codes.\n", ""),
            ("Enter the 6-digit Code to verify enrolment was successful: ", $"{StubServer.RightCode}\r"),
            ("\nVerification is complete.\nMFA via AUTHENTICATOR is ready.\n", ""),
        ], folder: folder.Path);

        Assert.Equal(0, talk.ExitCode);
        Assert.True(talk.Echo);
        Assert.DoesNotContain(Password, talk.Text, StringComparison.Ordinal);
        Assert.Equal(StubServer.RecoveryCodes, File.ReadAllLines(folder.File("alice_Example_Corp_recovery_codes.txt")));
        Assert.Equal(StubServer.EnrollmentId, Assert.Single(server.Verifies).EnrollmentId);
        Assert.All(server.Authorizations, value => Assert.Equal(Basic("alice", Password), value));
    }

    [Fact]
    public async Task Nothing_is_asked_that_was_given()
    {
        await using var server = await StubServer.StartAsync();

        var talk = await MfaProgram.TalkAsync(server, "mk AUTHENTICATOR --username alice",
            [.. AllNo, ("Enter the 6-digit Code", "123456\r")], environment: [$"MFA_PASSWORD={Password}"]);

        Assert.Equal(0, talk.ExitCode);
        Assert.StartsWith("Do you have a phone", StripControlSequences(talk.Text), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_different_passwords_are_asked_for_again()
    {
        await using var server = await StubServer.StartAsync();

        var talk = await MfaProgram.TalkAsync(server, "mk AUTHENTICATOR",
        [
            ("Username: ", "alice\r"),
            ("Password: ", "first\r"),
            ("Repeat for confirmation: ", "second\r"),
            ("The two passwords differ.\n", ""),
            ("Password: ", $"{Password}x\u007f\r"), // the last letter taken back
            ("Repeat for confirmation: ", $"{Password}\r"),
            .. AllNo,
            ("Enter the 6-digit Code", "123456\r"),
        ]);

        Assert.Equal(0, talk.ExitCode);
        Assert.Equal(Basic("alice", Password), server.Authorizations.First());
    }

    [Fact]
    public async Task An_API_key_leaves_no_one_to_ask_for()
    {
        await using var server = await StubServer.StartAsync();

        var talk = await MfaProgram.TalkAsync(server, "mk AUTHENTICATOR --account alice",
            [.. AllNo, ("Enter the 6-digit Code", "123456\r")], environment: ["MFA_API_KEY=key-1"]);

        Assert.Equal(0, talk.ExitCode);
        Assert.DoesNotContain("name:", talk.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("assword", talk.Text, StringComparison.Ordinal);
        Assert.All(server.Authorizations, value => Assert.Equal("Bearer key-1", value));
    }

    [Fact]
    public async Task Results_alone_leave_the_terminal_with_a_redirection()
    {
        await using var server = await StubServer.StartAsync();
        using var folder = new TemporaryFolder();

        var talk = await MfaProgram.TalkAsync(server, "mk AUTHENTICATOR",
        [
            .. SignIn,
            ("Do you have a phone", "n\r"),
            ("security key", "y\r"),
            ("text file", "n\r"),
            ("Enter the 6-digit Code", "000000\r"),
            ("That code was not accepted. 2 tries left.", ""),
            ("Enter the 6-digit Code", "123456\r"),
        ], output: folder.File("results"));

        Assert.Equal(0, talk.ExitCode);
        string[] results = [StubServer.Secret, .. StubServer.RecoveryCodes, "Verification is complete.", "MFA via AUTHENTICATOR is ready."];
        Assert.Equal(results, File.ReadAllLines(folder.File("results")));
    }

    [Fact]
    public async Task A_terminal_too_narrow_for_the_code_is_offered_the_key()
    {
        await using var server = await StubServer.StartAsync();

        var talk = await MfaProgram.TalkAsync(server, "mk AUTHENTICATOR",
        [
            .. SignIn,
            ("Do you have a phone", "y\r"),
            ("columns and this terminal has 40: use the security key", ""),
            ("security key? [y/N] ", "y\r"),
            (StubServer.Secret, ""),
            ("text file", "n\r"),
            ("Enter the 6-digit Code", "123456\r"),
        ], columns: 40);

        Assert.Equal(0, talk.ExitCode);
        Assert.DoesNotContain('█', talk.Text);
    }

    [Fact]
    public async Task Replacing_an_enabled_factor_asks_for_a_current_code()
    {
        await using var server = await StubServer.StartAsync();
        server.OnEnable = request => request.Code == "654321"
            ? StubServer.Enrollment()
            : throw StubServer.Error(StatusCode.FailedPrecondition, ErrorReason.AlreadyEnabled);

        var talk = await MfaProgram.TalkAsync(server, "mk AUTHENTICATOR",
        [
            .. SignIn,
            ("Enter a current code (or a recovery code) to replace the enabled factor: ", "654321\r"),
            .. AllNo,
            ("Enter the 6-digit Code", "123456\r"),
        ]);

        Assert.Equal(0, talk.ExitCode);
    }

    [Theory]
    [InlineData("Username: ")]
    [InlineData("Password: ")]
    [InlineData("Repeat for confirmation: ")]
    [InlineData("Do you have a phone")]
    [InlineData("security key? ")]
    [InlineData("text file? ")]
    [InlineData("Enter the 6-digit Code")]
    public async Task Ctrl_C_at_any_prompt_leaves_with_130_and_the_terminal_as_it_was(string prompt)
    {
        await using var server = await StubServer.StartAsync();
        (string Expect, string Type)[] all = [.. SignIn, .. AllNo, ("Enter the 6-digit Code", "123456\r")];
        var until = all.TakeWhile(step => !step.Expect.Contains(prompt, StringComparison.Ordinal));

        var talk = await MfaProgram.TalkAsync(server, "mk AUTHENTICATOR", [.. until, (prompt, "\u0003")]);

        Assert.Equal(130, talk.ExitCode);
        Assert.True(talk.Echo);
        Assert.Empty(server.Verifies);
        Assert.DoesNotContain("xception", talk.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", talk.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ctrl_C_while_the_server_thinks_leaves_at_once()
    {
        await using var server = await StubServer.StartAsync();
        using var testIsOver = new ManualResetEventSlim();
        server.OnGetStatus = _ =>
        {
            testIsOver.Wait();
            return new() { State = State.Enabled };
        };

        var talk = await MfaProgram.TalkAsync(server, "status --username alice --timeout 3600", [("Password: ", $"{Password}\r"), ("\n", "\u0003")]);
        testIsOver.Set();

        Assert.Equal(130, talk.ExitCode);
        Assert.True(talk.Echo);
    }

    [Fact]
    public async Task The_echo_is_off_before_a_password_is_asked_for()
    {
        await using var server = await StubServer.StartAsync();

        // Hung in writing its first prompt, it can only have switched the echo off before.
        var talk = await MfaProgram.TalkAsync(server, "status --username alice", [], gagged: true);

        Assert.False(talk.Echo);
    }

    [Fact]
    public async Task A_polite_kill_leaves_the_terminal_as_it_was()
    {
        await using var server = await StubServer.StartAsync();

        var talk = await MfaProgram.TalkAsync(server, "status --username alice", [("Password: ", "SIGTERM")]);

        Assert.Equal(143, talk.ExitCode);
        Assert.True(talk.Echo);
    }

    [Fact]
    public async Task Ctrl_D_at_the_password_is_the_end_of_the_input()
    {
        await using var server = await StubServer.StartAsync();

        var talk = await MfaProgram.TalkAsync(server, "status --username alice", [("Password: ", "\u0004"), ("No password", "")]);

        Assert.Equal(2, talk.ExitCode);
        Assert.True(talk.Echo);
        Assert.Empty(server.Requests);
    }

    internal static string StripControlSequences(string text) =>
        System.Text.RegularExpressions.Regex.Replace(text, "\u001b(\\[[0-9;?]*[A-Za-z]|[=>])", "", System.Text.RegularExpressions.RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1));

    private static string Basic(string name, string password) =>
        "Basic " + Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"{name}:{password}"));
}
