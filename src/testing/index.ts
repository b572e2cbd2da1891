// Owns: what tests of policies import: `import { playStory } from 'offbox/testing'`.
export { playStory, type StoryOptions, type StoryResult } from './story.ts';
export { policiesBeside } from './transcript.ts';
