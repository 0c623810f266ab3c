namespace Mfa.EndToEnd.Processes;

/// <summary>The clock that the server and the tests share.</summary>
internal static class Clock
{
    /// <summary>Returns once the moment has passed. For what only time brings about; never a guess at how long a server takes.</summary>
    public static async Task PassAsync(DateTimeOffset moment)
    {
        Assert.True(moment - TimeProvider.System.GetUtcNow() < TimeSpan.FromMinutes(2), "That would take too long.");
        while (TimeProvider.System.GetUtcNow() <= moment) await Task.Delay(20, TestContext.Current.CancellationToken);
    }
}
