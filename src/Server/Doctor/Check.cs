namespace Mfa.Server.Doctor;

internal enum Health
{
    Ok,

    /// <summary>The server serves, but somebody should look at this.</summary>
    Warn,

    /// <summary>The server does not start, or does not do what it promises.</summary>
    Fail,
}

/// <summary>What a check found, and what to do about it.</summary>
internal sealed record Finding(Health Health, string Detail, string Remedy = "")
{
    public static Finding Ok(string detail) => new(Health.Ok, detail);

    public static Finding Warn(string detail, string remedy) => new(Health.Warn, detail, remedy);

    public static Finding Fail(string detail, string remedy) => new(Health.Fail, detail, remedy);

    /// <summary>What would stop the start. Its first sentence says what is wrong, the others what to do.</summary>
    public static Finding Fail(StartRefusedException refused)
    {
        var end = refused.Message.IndexOf(". ", StringComparison.Ordinal);
        return end < 0 ? Fail(refused.Message, "") : Fail(refused.Message[..(end + 1)], refused.Message[(end + 2)..]);
    }
}

/// <summary>One question about an installation. It is answered without changing anything.</summary>
internal sealed record Check(string Name, Func<CancellationToken, Task<Finding>> Run)
{
    public static Check Of(string name, Func<Finding> run) => new(name, ct => Task.Run(run, ct));

    /// <summary>A check that cannot be made is a finding too, and keeps none of the others from being made.</summary>
    public async Task<Finding> AnswerAsync(CancellationToken ct)
    {
        try
        {
            return await Run(ct);
        }
        catch (StartRefusedException refused)
        {
            return Finding.Fail(refused);
        }
        catch (Exception broken) when (!ct.IsCancellationRequested)
        {
            return Finding.Fail($"this could not be looked at ({broken.GetType().Name}).", "Run it as the user that serves.");
        }
    }
}
