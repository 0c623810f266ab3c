using Mfa.Torture.Checking;

namespace Mfa.Torture.Load;

/// <summary>Leads many short lives one after another, and comes back to those it led before.</summary>
internal sealed class Worker(string name, Client client, Mailbox mailbox, ITarget target, Rules rules, Chance chance)
{
    private readonly List<Life> _lives = [];
    private int _owners;

    public async Task RunAsync(CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            if (_lives.Count > 0 && chance.Next(3) == 0)
            {
                await _lives[chance.Next(_lives.Count)].RunAsync(chance.Next(1, 6), end);
                continue;
            }

            var owner = new Owner($"{name}-{++_owners}", sends: chance.Next(4) == 0, rules);
            var life = new Life(owner, client, mailbox, target, chance);
            _lives.Add(life);
            await life.RunAsync(chance.Next(5, 60), end);
        }
    }

    public async Task LookBackAsync(Client client)
    {
        foreach (var life in _lives) await life.LookBackAsync(client);
    }
}
