using System.Collections.Concurrent;
using Mfa.Server.Store;

namespace Mfa.Server.Tests.Store;

public sealed class BatchesTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(31)]
    public void Everybody_is_told_once_and_not_by_this_thread(int count)
    {
        var told = new BlockingCollection<(int Job, int Thread)>();
        Batches.Run(Enumerable.Range(0, count).ToList(), job => told.Add((job, Environment.CurrentManagedThreadId)));

        var all = Enumerable.Range(0, count).Select(_ => told.Take(TestContext.Current.CancellationToken)).ToList();
        Assert.Equal(Enumerable.Range(0, count), all.Select(one => one.Job).Order());
        Assert.DoesNotContain(all, one => one.Thread == Environment.CurrentManagedThreadId);
        Assert.Empty(told);
    }
}
