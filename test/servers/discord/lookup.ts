import type { ChannelState, MessageState, Person } from './state.ts';
import { findMessage, type World } from './world.ts';

export function channelNamed(world: World, idOrName: string): ChannelState {
  const wanted = idOrName.replace(/^#/, '');
  const channel = world.state.channels.find(({ id, name }) => id === wanted || name === wanted);
  if (!channel) throw new Error(`no channel ${idOrName}`);
  return channel;
}

export function personNamed(world: World, idOrName: string): Person {
  const person = world.state.people.find(({ id, username }) => id === idOrName || username === idOrName);
  if (!person) throw new Error(`nobody is called ${idOrName}`);
  return person;
}

export function messageIn(world: World, channel: string, id: string): MessageState {
  const message = findMessage(world, channelNamed(world, channel).id, id);
  if (!message) throw new Error(`no message ${id} in ${channel}`);
  return message;
}
