namespace Mfa.EndToEnd.Watch;

/// <summary>Waits for what comes by itself, from programs that tell nobody when.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    public static async Task IsAsync(string what, Func<Task<bool>> come)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!await come())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(began) < Patience, $"Waited in vain: {what}.");
            await Task.Delay(200, TestContext.Current.CancellationToken);
        }
    }
}
