namespace Mfa.Server.Store;

/// <summary>
/// Callers whose work is durable go on in the thread pool, where a writer never executes their code: one batch for each processor,
/// because handing them over one by one costs more than what most of them have left to do.
/// </summary>
internal static class Batches
{
    public static void Run<T>(List<T> jobs, Action<T> tell)
    {
        var size = Math.Max(1, (jobs.Count + Environment.ProcessorCount - 1) / Environment.ProcessorCount);
        foreach (var batch in jobs.Chunk(size))
            ThreadPool.UnsafeQueueUserWorkItem(new Batch<T>(batch, tell), preferLocal: false);
    }

    private sealed class Batch<T>(T[] jobs, Action<T> tell) : IThreadPoolWorkItem
    {
        public void Execute()
        {
            foreach (var job in jobs) tell(job);
        }
    }
}
