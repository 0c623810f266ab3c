using System.Net;
using System.Net.Sockets;
using Mfa.EndToEnd.Processes;

namespace Mfa.EndToEnd.Doctor;

/// <summary>The clock against real time servers: right, wrong, unsure, silent and away.</summary>
public sealed class ClockTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(0, "OK", "0.")]
    [InlineData(120, "FAIL", " s behind ")]
    [InlineData(-5, "WARN", " s ahead of ")]
    public async Task A_clock_is_compared_with_the_time_server(int ahead, string state, string says)
    {
        await using var server = await TimeServer.StartAsync(ahead);

        var clock = await ExamineAsync(server.Reference);

        Assert.Equal(state, clock.State);
        Assert.Contains(says, clock.Detail, StringComparison.Ordinal);
        Assert.Contains(server.Reference, clock.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_time_server_that_does_not_know_the_time_proves_nothing()
    {
        await using var server = await TimeServer.StartAsync(knows: false);

        var clock = await ExamineAsync(server.Reference);

        Assert.Equal("FAIL", clock.State);
        Assert.Contains("does not know the time", clock.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_time_server_that_is_silent_is_not_waited_for_long_and_the_wait_is_told()
    {
        using var silent = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        var start = ServerProgram.Command("doctor", "--data", _folder["data"], "--set", $"doctor:clock={silent.Client.LocalEndPoint}");
        start.WorkingDirectory = _folder.Path;

        var ended = await OutsideProgram.RunAsync(start, []);

        Assert.Contains("FAIL  clock             " + silent.Client.LocalEndPoint + " does not answer within 5 s.", ended.Output, StringComparison.Ordinal);
        Assert.Contains("Looking at: clock …", ended.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_time_server_that_is_away()
    {
        var clock = await ExamineAsync($"127.0.0.1:{FreePort.Next()}");

        Assert.Equal("FAIL", clock.State);
        Assert.Contains("cannot be reached", clock.Detail, StringComparison.Ordinal);
    }

    private async Task<Finding> ExamineAsync(string reference) =>
        (await Examination.OfAsync(_folder.Path, ["--data", _folder["data"], "--set", $"doctor:clock={reference}"]))["clock"];
}
