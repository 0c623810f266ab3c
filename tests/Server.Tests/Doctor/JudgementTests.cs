using System.Buffers.Binary;
using System.Diagnostics;
using Mfa.Server.Doctor;

namespace Mfa.Server.Tests.Doctor;

/// <summary>Where OK ends and where trouble begins.</summary>
public sealed class JudgementTests
{
    private static readonly DateTimeOffset Now = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(64L * 1024 * 1024 - 1, "Fail")]
    [InlineData(64L * 1024 * 1024, "Warn")]
    [InlineData(1024L * 1024 * 1024 - 1, "Warn")]
    [InlineData(1024L * 1024 * 1024, "Ok")]
    public void Disk_space_is_judged_by_what_is_left(long free, string health) => Assert.Equal(health, DiskCheck.Judge(free).Health.ToString());

    [Theory]
    [InlineData(999, "Ok")]
    [InlineData(-999, "Ok")]
    [InlineData(1_000, "Warn")]
    [InlineData(-9_999, "Warn")]
    [InlineData(10_000, "Fail")]
    [InlineData(-10_000, "Fail")]
    public void A_clock_is_judged_by_how_far_it_is_off_either_way(int milliseconds, string health) =>
        Assert.Equal(health, ClockCheck.Judge(TimeSpan.FromMilliseconds(milliseconds), "time.example.org").Health.ToString());

    [Fact]
    public void The_way_to_the_time_server_and_back_is_not_taken_for_an_offset()
    {
        // 3 s there, 3 s back, and a server that is 7 s ahead and thinks for a second.
        var offset = TimeServer.Offset(Question, Answer(Now.AddSeconds(10), Now.AddSeconds(11)), Now, Now.AddSeconds(7));

        Assert.Equal(7, offset.TotalSeconds, 0.001);
    }

    [Fact]
    public void The_turn_of_the_era_in_2036_is_no_offset()
    {
        var turn = new DateTimeOffset(2036, 2, 7, 6, 28, 16, TimeSpan.Zero);

        Assert.Equal(2, TimeServer.Offset(Question, Answer(turn.AddSeconds(1), turn.AddSeconds(1)), turn.AddSeconds(-1), turn.AddSeconds(-1)).TotalSeconds, 0.001);
        Assert.Equal(-2, TimeServer.Offset(Question, Answer(turn.AddSeconds(-1), turn.AddSeconds(-1)), turn.AddSeconds(1), turn.AddSeconds(1)).TotalSeconds, 0.001);
    }

    public static TheoryData<int, byte> Unfit => new()
    {
        // byte, value
        { 0, 0x23 }, // a client's packet
        { 0, 0xE4 }, // leap indicator 3: not synchronised
        { 1, 0 }, // kiss-o'-death
        { 1, 16 }, // unsynchronised
        { 24, 0xFF }, // the answer to another question
    };

    [Theory, MemberData(nameof(Unfit))]
    public void An_answer_that_is_none_is_not_taken_for_the_time(int at, byte value)
    {
        var answer = Answer(Now, Now);
        answer[at] = value;

        Assert.Throws<InvalidDataException>(() => TimeServer.Offset(Question, answer, Now, Now));
        Assert.Throws<InvalidDataException>(() => TimeServer.Offset(Question, answer[..47], Now, Now));
    }

    [Theory]
    [InlineData("pool.ntp.org", true)]
    [InlineData("time.example.org:1123", true)]
    [InlineData("192.0.2.1", true)]
    [InlineData("[2001:db8::1]:123", true)]
    [InlineData("", false)]
    [InlineData("a b", false)]
    [InlineData("time.example.org:0", false)]
    [InlineData("time.example.org:99999", false)]
    [InlineData("time.example.org/", false)]
    [InlineData("user@time.example.org", false)]
    [InlineData("https://time.example.org", false)]
    public void A_time_server_is_a_host_and_perhaps_a_port(string text, bool accepted) => Assert.Equal(accepted, TimeServer.IsReference(text));

    [Theory]
    [InlineData("/")]
    [InlineData("/etc/passwd")]
    [InlineData("/tmp")]
    public void The_owner_of_a_file_is_the_one_that_stat_tells(string path)
    {
        using var stat = Process.Start(new ProcessStartInfo("stat", ["-c", "%u", path]) { UseShellExecute = false, RedirectStandardOutput = true })!;

        Assert.Equal(stat.StandardOutput.ReadToEnd().Trim(), $"{FileOwner.Of(path)}");
    }

    [Fact]
    public void A_new_file_is_ours()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.File("new"), "");

        Assert.Equal(FileOwner.Us, FileOwner.Of(folder.File("new")));
    }

    [Fact]
    public void A_refusal_says_first_what_is_wrong_and_then_what_to_do()
    {
        var finding = Finding.Fail(new StartRefusedException("/data/keys.json: others may read it. Run: chmod 600 /data/keys.json"));

        Assert.Equal(("/data/keys.json: others may read it.", "Run: chmod 600 /data/keys.json"), (finding.Detail, finding.Remedy));
    }

    private static byte[] Question => [.. new byte[40], 1, 2, 3, 4, 5, 6, 7, 8];

    /// <summary>RFC 4330 §4: of a server of stratum 2.</summary>
    private static byte[] Answer(DateTimeOffset received, DateTimeOffset transmitted)
    {
        var answer = new byte[48];
        (answer[0], answer[1]) = (4 << 3 | 4, 2);
        Question.AsSpan(40).CopyTo(answer.AsSpan(24));
        Write(answer, 32, received);
        Write(answer, 40, transmitted);
        return answer;
    }

    private static void Write(byte[] answer, int at, DateTimeOffset time) => BinaryPrimitives.WriteUInt32BigEndian(
        answer.AsSpan(at), unchecked((uint)(long)(time - new DateTimeOffset(1900, 1, 1, 0, 0, 0, TimeSpan.Zero)).TotalSeconds));
}
