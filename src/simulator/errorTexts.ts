/** The vendor's wording of the errors that a market-data front is known to answer with. */
const texts = new Map<number, string>([
  // CTP:No Error
  [0, '4354503a4e6f204572726f72'],
  // CTP:不合法的登录
  [3, '4354503ab2bbbacfb7a8b5c4b5c7c2bc'],
  // CTP:重复的登录
  [5, '4354503ad6d8b8b4b5c4b5c7c2bc'],
  // CTP:还没有登录
  [6, '4354503abbb9c3bbd3d0b5c7c2bc'],
  // CTP:还没有初始化
  [7, '4354503abbb9c3bbd3d0b3f5cabcbbaf'],
  // CTP:前置不活跃
  [8, '4354503ac7b0d6c3b2bbbbeed4be'],
  // CTP:找不到该经纪公司
  [12, '4354503ad5d2b2bbb5bdb8c3beadbccdb9abcbbe'],
  // CTP:找不到合约
  [16, '4354503ad5d2b2bbb5bdbacfd4bc'],
  // CTP:不合法的登录IP
  [49, '4354503ab2bbbacfb7a8b5c4b5c7c2bc4950'],
  // CTP:用户在线会话超出上限
  [60, '4354503ad3c3bba7d4dacfdfbbe1bbb0b3acb3f6c9cfcfde'],
  // CTP:连续登录失败次数超限，登录被禁止
  [75, '4354503ac1acd0f8b5c7c2bccaa7b0dcb4cecafdb3accfdea3acb5c7c2bcb1bbbdfbd6b9'],
  // CTP:首次登录必须修改密码，请修改密码后重新登录
  [131, '4354503acad7b4ceb5c7c2bcb1d8d0ebd0deb8c4c3dcc2eba3acc7ebd0deb8c4c3dcc2ebbaf3d6d8d0c2b5c7c2bc'],
  // CTP:首次登录必须修改密码
  [140, '4354503acad7b4ceb5c7c2bcb1d8d0ebd0deb8c4c3dcc2eb'],
  // CTP:密码已过期
  [141, '4354503ac3dcc2ebd2d1b9fdc6da'],
  // CTP:IP被禁止登录
  [143, '4354503a4950b1bbbdfbd6b9b5c7c2bc'],
  // CTP:IP在黑名单中
  [144, '4354503a4950d4dabadac3fbb5a5d6d0'],
  // CTP:sub too many insts
  [6000, '4354503a73756220746f6f206d616e7920696e737473'],
]);

/** An error's text as the vendor's back end sends it, in GB18030. */
export function vendorErrorText(id: number): Buffer {
  const known = texts.get(id);
  return known === undefined ? Buffer.from(`CTP:error ${id}`) : Buffer.from(known, 'hex');
}
